# SPDX-License-Identifier: MIT
# Java: a virtual machine behind an alternative, jars at absolute paths.
compares="10,000 pairs trimmed, single reads"
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/reads_{1,2}.fq.gz)

run() {
  tool TrimmomaticPE -threads 2 reads_1.fq reads_2.fq paired_1.fq single_1.fq paired_2.fq single_2.fq \
    SLIDINGWINDOW:4:15 MINLEN:36 2> pe.log
  tool TrimmomaticSE reads_1.fq leading.fq LEADING:20 TRAILING:20 2> se.log
}

normalise() { cat; }
