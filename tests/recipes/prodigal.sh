# SPDX-License-Identifier: MIT
# A whole bacterial genome, and a phage by the mixed models.
compares='genes of a *Klebsiella* genome (5.7 MB) and of the lambda phage: coordinates, proteins, DNA, starts'
data_packages=(kleborate-examples bowtie2-examples)
data_files=(usr/share/doc/kleborate/examples/data/MGH78578.fna.xz usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

run() {
  tool prodigal -q -i MGH78578.fna -f gff -o genome.gff -a genome.faa -d genome.ffn -s genome.starts
  tool prodigal -q -p meta -i lambda_virus.fa -o lambda.gbk -a lambda.faa
  [ "$(grep -c '>' genome.faa)" -gt 5000 ]
}

normalise() { cat; }
