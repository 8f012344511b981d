# SPDX-License-Identifier: MIT
compares='10,000 reads: composition, quality, trimming, sampling, as FASTA'
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/reads_1.fq.gz)

run() {
  tool seqtk comp reads_1.fq > comp
  tool seqtk fqchk reads_1.fq > quality
  tool seqtk trimfq reads_1.fq > trimmed.fq
  tool seqtk sample -s 11 reads_1.fq 1000 > sampled.fq
  tool seqtk seq -a -r reads_1.fq > reversed.fa
}

normalise() { cat; }
