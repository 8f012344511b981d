# SPDX-License-Identifier: MIT
# Two ranks over loopback, with /dev/shm between them. Of 1,500 pairs of the package's own
# reads the ends of contigs differed between the native and the packed run; whether two
# native runs differ in the same way was not tried. Reads without errors, ten times over
# the genome, leave nothing to decide but order and strand.
compares='reads of 20 kb of the lambda phage (10 times over) assembled by two ranks: the contigs, each on its lesser strand'
data_packages=(bowtie2-examples)
data_files=(usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz)

prepare() {
  awk '!/^>/ { genome = genome $0 }
       END { for (at = 1; at <= 20000; at += 10) printf ">%d\n%s\n", at, substr(genome, at, 100) }' lambda_virus.fa > reads.fasta
}

run() {
  tool mpiexec -n 2 Ray -k 31 -s reads.fasta -o assembly > ray.out 2> ray.err ||
    { tail -n 20 ray.out ray.err >&2; return 1; }
  awk 'function other(s,  i, o) { for (i = length(s); i > 0; i--) o = o substr("TGCA", index("ACGT", substr(s, i, 1)), 1); return o }
       function put(  r) { if (s == "") return; r = other(s); print (s < r ? s : r); s = "" }
       /^>/ { put(); next } { s = s $0 } END { put() }' assembly/Contigs.fasta | LC_ALL=C sort > contigs
  [ -s contigs ]
  rm -r assembly ray.out ray.err
}

normalise() { cat; }
