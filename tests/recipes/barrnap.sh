# SPDX-License-Identifier: MIT
# A Perl program that calls nhmmer, bedtools and which, and finds its profiles in
# /usr/share/barrnap with no way to say otherwise. A whole bacterial genome.
compares="rRNA of a *Klebsiella* genome (5.7 MB), and with the archaeal profiles"
data_packages=(kleborate-examples)
data_files=(usr/share/doc/kleborate/examples/data/MGH78578.fna.xz)

run() {
  tool barrnap --quiet --outseq rrna.fa MGH78578.fna > rrna.gff 2> rrna.log
  tool barrnap --kingdom arc --threads 2 MGH78578.fna > archaea.gff 2> archaea.log
}

# The index of the FASTA file is made once, and told of; times in the log.
normalise() { sed -E 's/[0-9]{2}:[0-9]{2}:[0-9]{2}//; s,/tmp/[A-Za-z0-9_./-]+,/tmp/X,g'; }

poison() { poison_perl strict List/Util Time/Piece; }
control=(barrnap --version)

check() { inspect_perl -MTime::Piece -MList::Util; }
