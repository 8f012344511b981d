# SPDX-License-Identifier: MIT
# Krona: Perl that puts data and its own program, found in /usr/share, into one HTML file.
compares='reports of 50,000 marine amplicons by length and abundance: of text, of two samples, of XML'
data_packages=(vsearch-examples)
data_files=(usr/share/doc/vsearch-examples/BioMarKs50k.fsa.gz)

prepare() {
  awk -F size= '/^>/ { size = $2; next } { print size "\t" int(length($0) / 50) * 50 " bases\t" substr($0, 1, 4) "\t" substr($0, 1, 12) }' \
    BioMarKs50k.fsa > all.txt
  head -n 2000 all.txt > one.txt
  tail -n 2000 all.txt > two.txt
}

# Perl's hashes have another order in each process, and so have the nodes of a report.
run() {
  export PERL_HASH_SEED=0 ROOTLET_ENV=PERL_HASH_SEED=0
  tool ktImportText all.txt -o all.html > all.log
  tool ktImportText one.txt,first two.txt,second -n amplicons -o two.html > two.log
  sed -n '/<krona/,/<\/krona>/p' two.html > two.xml
  tool ktImportXML two.xml -o again.html > again.log
}

normalise() { cat; }

poison() { poison_perl strict KronaTools; }
control=(ktImportText --help)
