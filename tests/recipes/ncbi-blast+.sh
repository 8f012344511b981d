# SPDX-License-Identifier: MIT
# Databases made and searched; a database that lies at an absolute path of the
# image (ncbi-data); a Perl wrapper that calls its siblings by absolute path.
compares="databases of globins made, dumped, searched; the core 16S database of the image; \`blastall\`"
data_packages=(hmmer-doc bowtie2-examples)
data_files=(usr/share/doc/hmmer/tutorial/{globins45.fa,HBB_HUMAN} usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

run() {
  tool makeblastdb -in globins45.fa -dbtype prot -out globins -parse_seqids > makeblastdb.out
  tool blastdbcmd -db globins -entry all > globins.dump
  tool blastp -query HBB_HUMAN -db globins > pairwise.out
  tool blastp -query globins45.fa -db globins -outfmt 6 -num_threads 2 > all.tsv
  tool psiblast -query HBB_HUMAN -db globins -num_iterations 3 -out_ascii_pssm pssm.txt > psiblast.out 2> psiblast.log
  tool tblastn -query HBB_HUMAN -subject lambda_virus.fa > tblastn.out
  tool blastn -query lambda_virus.fa -db /usr/share/ncbi/data/16SCore -evalue 100 -outfmt 6 > at_absolute_path.tsv
  tool blastall -p blastp -i HBB_HUMAN -d globins -m 8 > legacy.tsv
  # The databases hold the day; what they hold besides is compared as the dump.
  rm -f globins.p*
}

# The day, the time that it took.
normalise() { sed -E '/current time:/d; /Posted date:/d; /sequences in [0-9.e-]+ seconds/s/in .*//'; }
