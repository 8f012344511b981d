# SPDX-License-Identifier: MIT
# A shell script of hundreds of processes that finds its parts in /usr/lib/mafft.
compares="45 globins: auto, L-INS-i, guide tree"
data_packages=(hmmer-doc)
data_files=(usr/share/doc/hmmer/tutorial/globins45.fa)

run() {
  tool mafft --auto globins45.fa > auto.fa 2> auto.log
  tool mafft --localpair --maxiterate 100 --clustalout globins45.fa > linsi.aln 2> linsi.log
  tool mafft --retree 1 --treeout globins45.fa > tree.fa 2> tree.log
}

# Its temporary directory, its progress.
normalise() { tr '\r' '\n' | sed -E 's,/tmp/mafft\.[A-Za-z0-9]+,/tmp/mafft.X,g'; }
