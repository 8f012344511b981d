# SPDX-License-Identifier: MIT
# samtools on its package's examples.
compares='a BAM file of 60,000 lambda reads: sorted, indexed, viewed, counted, piled up, as CRAM and back'
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/combined_reads.bam.gz usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

run() {
  tool samtools sort -@ 2 --no-PG -o sorted.bam combined_reads.bam
  tool samtools index sorted.bam
  tool samtools view --no-PG -h sorted.bam > sorted.sam
  tool samtools flagstat sorted.bam > flagstat
  tool samtools idxstats sorted.bam > idxstats
  tool samtools depth -a sorted.bam > depth
  tool samtools stats sorted.bam > stats
  tool samtools faidx lambda_virus.fa
  tool samtools mpileup -f lambda_virus.fa sorted.bam > pileup 2> /dev/null
  tool samtools view --no-PG -C -T lambda_virus.fa -o sorted.cram sorted.bam
  tool samtools view --no-PG -T lambda_virus.fa sorted.cram > back.sam
}

normalise() { cat; }
