# SPDX-License-Identifier: MIT
# Perl: hundreds of modules in /usr/share/perl5, C extensions in the C library's
# directory, chosen at run time by name.
compares="six programs on globins and the lambda phage"
data_packages=(hmmer-doc bowtie2-examples)
data_files=(usr/share/doc/hmmer/tutorial/globins45.fa usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

run() {
  tool bp_aacomp globins45.fa > aacomp.out
  tool bp_gccalc lambda_virus.fa > gc.out
  tool bp_seq_length globins45.fa > lengths.out
  tool bp_oligo_count -s lambda_virus.fa -l 4 -o oligos.out > oligo.log
  tool bp_sreformat -if fasta -of embl -i lambda_virus.fa -o lambda.embl
  tool bp_translate_seq lambda_virus.fa > translated.fa
}

normalise() { cat; }

poison() { poison_perl strict Bio/SeqIO Bio/Root/Root List/Util; }
control=(bp_gccalc --help)

check() { inspect_perl -MBio::SeqIO -MBio::SearchIO -MList::Util -MData::Dumper; }
