# SPDX-License-Identifier: MIT
# Python that starts programs in /usr/libexec/spades with settings of /usr/share/spades.
compares='10,000 pairs of the lambda phage: corrected, assembled by two threads: contigs, scaffolds, graph'
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/reads_{1,2}.fq.gz)

run() {
  tool spades -t 2 -m 4 -k 21,33,55 -1 reads_1.fq -2 reads_2.fq -o out > spades.out || { tail -n 20 spades.out >&2; return 1; }
  mv out/contigs.fasta out/scaffolds.fasta out/assembly_graph_with_scaffolds.gfa .
  rm -r out spades.out
  [ -s contigs.fasta ]
}

normalise() { cat; }
