# SPDX-License-Identifier: MIT
# Two ranks over loopback, with /dev/shm between them. In which order they find
# contigs, and on which strand, differs from run to run: compared as a set.
compares='3,000 pairs of the lambda phage assembled by two ranks: the set of contigs, each on its lesser strand'
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reads/reads_{1,2}.fq.gz)

prepare() {
  local file
  for file in reads_1 reads_2; do
    head -n 12000 "$file.fq" > "$file.part"
    mv "$file.part" "$file.fq"
  done
}

run() {
  tool mpiexec -n 2 Ray -k 31 -p reads_1.fq reads_2.fq -o assembly > ray.out 2> ray.err ||
    { tail -n 20 ray.out ray.err >&2; return 1; }
  awk '/^>/ { if (s != "") print s; s = ""; next } { s = s $0 } END { print s }' assembly/Contigs.fasta |
    while read -r contig; do
      printf '%s\n' "$contig" "$(rev <<< "$contig" | tr ACGT TGCA)" | LC_ALL=C sort | head -n 1
    done | LC_ALL=C sort > contigs
  [ -s contigs ]
  rm -r assembly ray.out ray.err
}

normalise() { cat; }
