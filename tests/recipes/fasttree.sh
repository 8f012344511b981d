# SPDX-License-Identifier: MIT
compares='trees of 98 fibronectin domains and of 38 kinases, with support values'
data_packages=(hmmer-doc)
data_files=(usr/share/doc/hmmer/tutorial/{fn3,Pkinase}.sto)

# FASTA of Stockholm's blocks.
prepare() {
  local name
  for name in fn3 Pkinase; do
    awk '!/^#/ && NF == 2 { if (!($1 in s)) order[++n] = $1; s[$1] = s[$1] $2 }
         END { for (i = 1; i <= n; i++) { gsub(/\./, "-", s[order[i]]); print ">" order[i] "\n" toupper(s[order[i]]) } }' \
      "$name.sto" > "$name.fa"
  done
}

run() {
  tool fasttree fn3.fa > fn3.nwk 2> /dev/null
  tool fasttree -gamma -seed 7 Pkinase.fa > kinases.nwk 2> /dev/null
}

normalise() { cat; }
