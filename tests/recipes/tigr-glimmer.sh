# SPDX-License-Identifier: MIT
# Programs in /usr/lib/tigr-glimmer, as META-pipe calls them one after another.
compares='long ORFs, a model of them and genes of the lambda phage and of a *Klebsiella* genome (5.7 MB)'
data_packages=(kleborate-examples bowtie2-examples)
data_files=(usr/share/doc/kleborate/examples/data/MGH78578.fna.xz usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

predict() {
  tool long-orfs -n -t 1.15 "$1" "$2.orfs" 2> "$2.orfs.log"
  tool extract -t "$1" "$2.orfs" > "$2.train" 2> /dev/null
  tool build-icm -r "$2.icm" < "$2.train"
  tool glimmer3 -o50 -g110 -t30 "$1" "$2.icm" "$2" 2> /dev/null
}

run() {
  export PATH=$PATH:/usr/lib/tigr-glimmer  # natively; packed they are commands
  # Its first replicon is the chromosome.
  awk '/^>/ { if (n++) exit } { print }' MGH78578.fna > chromosome.fna
  predict lambda_virus.fa lambda
  predict chromosome.fna chromosome
  [ "$(grep -c '^orf' chromosome.predict)" -gt 4000 ]
}

# The time in a log.
normalise() { sed '/^Starting at /d'; }
