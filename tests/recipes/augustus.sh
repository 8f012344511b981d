# SPDX-License-Identifier: MIT
# Parameters in /usr/share/augustus/config, a path that is compiled in.
compares='genes of 300 kb of *Drosophila* chromosome 2R: with and without hints, with proteins'
data_packages=(augustus-doc)
data_files=(usr/share/doc/augustus/tutorial/data/chr2R.2M-7M.fa)

prepare() { head -c 300000 chr2R.2M-7M.fa > contig.fa; rm chr2R.2M-7M.fa; }

run() {
  tool augustus --species=fly contig.fa > fly.gff
  grep -q 'protein sequence' fly.gff
  head -c 60000 contig.fa > part.fa
  awk '$3 == "intron" { print $1 "\tb2h\tintron\t" $4 "\t" $5 "\t0\t" $7 "\t.\tpri=4;src=E" }' fly.gff > hints.gff
  tool augustus --species=fly --hintsfile=hints.gff --softmasking=0 --extrinsicCfgFile=extrinsic.E.cfg --alternatives-from-evidence=true part.fa > hints.out
}

normalise() { cat; }
