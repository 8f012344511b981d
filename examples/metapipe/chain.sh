#!/bin/sh
# SPDX-License-Identifier: MIT
# The chain of pipeline.jar in plain shell, without Spark, partitions or Rootlet: for a machine on which the
# tools are installed at META-pipe's paths.    chain.sh READS_1 READS_2 DIRECTORY
set -eu
export LC_ALL=C PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0
first=$1 second=$2 out=$3
databases=/share/apps/gepan/bio_databases
glimmer=/opt/bio/glimmer/bin
tab=$(printf '\t')
mkdir -p "$out/work"
cd "$out/work"

# Longest first, each on the strand that comes first in the alphabet, under names of ours.
/opt/bio/ray/Ray -k 31 -p "$first" "$second" -o assembly > ray.log 2>&1
awk '/^>/ { if (s != "") print s; s = ""; next } { s = s $0 } END { print s }' assembly/Contigs.fasta |
  awk 'length($0) >= 500 { r = ""; for (i = length($0); i > 0; i--) { c = substr($0, i, 1)
         r = r (c == "A" ? "T" : c == "T" ? "A" : c == "C" ? "G" : c == "G" ? "C" : c) }
       print length($0) "\t" ($0 <= r ? $0 : r) }' |
  sort -t "$tab" -k1,1nr -k2,2 | awk '{ print ">contig" NR; print $2 }' > ../contigs.fasta

/share/apps/gepan/share/mga/prodigal -i ../contigs.fasta -a proteins.faa -p meta -q -f gff -o genes.gff
awk '/^>/ { sub(/ # ID=.*/, ""); printf "%s%s\n", (NR > 1 ? "\n" : ""), $0; next } { gsub(/\*/, ""); printf "%s", $0 }
     END { print "" }' proteins.faa > ../prodigal.faa

head -n 2 ../contigs.fasta > longest.fa
"$glimmer/long-orfs" -n -t 1.15 longest.fa orfs 2> log
"$glimmer/extract" -t longest.fa orfs > train 2> log
"$glimmer/build-icm" -r icm < train
: > ../glimmer.predict
awk '/^>/ { file = substr($1, 2) ".fa" } { print > file }' ../contigs.fasta
for number in $(seq "$(grep -c '>' ../contigs.fasta)"); do
  "$glimmer/glimmer3" -o50 -g110 -t30 "contig$number.fa" icm "contig$number" 2> log
  cat "contig$number.predict" >> ../glimmer.predict
done

for split in 1 2 3 4 5 6 7 8; do
  /opt/bio/ncbi/bin/blastp -query ../prodigal.faa -db "$databases/uniref50_split_$split" -dbsize 1000000 -evalue 1e-5 \
    -outfmt '6 qseqid sseqid pident length evalue bitscore sseq'
done | sort > ../blastp.tsv
/opt/local/hmmer30rc2/binaries/hmmscan --cpu 1 -E 1e-5 --tblout hits "$databases/Pfam-A.hmm" ../prodigal.faa > hmmscan.log
grep -v '^#' hits | sed -E 's/ +/\t/g' > ../hmmscan.tsv || true

# The best hit of each protein; a family is a subject's part and those that are most like it.
sort -t "$tab" -k1,1 -k6,6gr -k2,2 ../blastp.tsv | awk -F '\t' '!seen[$1]++' > best
: > ../families.fa
cut -f 2 best | sort -u | while read -r subject; do
  awk -F '\t' -v subject="$subject" '
    FNR == NR { if ($2 == subject) { member[$1] = 1; if (!n++) { gsub(/-/, "", $7); print ">" subject; print $7 } } next }
    /^>/ { name = substr($0, 2); sub(/ .*/, "", name); shown = name in member; if (shown) print ">" name; next }
    shown { print }' best ../prodigal.faa > family.unsorted
  # The subject, then its proteins by name.
  { head -n 2 family.unsorted
    tail -n +3 family.unsorted | paste - - | sort | tr '\t' '\n'; } > family.fa
  { printf '# %s\n' "$subject"; /opt/bio/mafft/bin/mafft --auto --quiet family.fa; } >> ../families.fa
done

awk -F '\t' '
  FILENAME ~ /predict$/ { split($0, w, /[ \t]+/); if (/^>/) contig = substr(w[1], 2); if (/^orf/) stop[contig " " w[3]] = 1; next }
  FILENAME == "best" { subject[$1] = $2; next }
  FILENAME ~ /hmmscan/ { if (!($3 in profile)) profile[$3] = $1; next }
  /^>/ { split(substr($0, 2), w, " # "); contig = w[1]; sub(/_[0-9]+$/, "", contig); end = w[4] == "1" ? w[3] : w[2]
         print contig "\t" ((contig " " end) in stop ? "Prodigal and Glimmer" : "Prodigal alone") "\t" \
           (w[1] in subject ? subject[w[1]] : "unknown") "\t" (w[1] in profile ? profile[w[1]] : "no profile") }
' ../glimmer.predict best ../hmmscan.tsv ../prodigal.faa | sort | uniq -c | sed -E 's/^ *([0-9]+) /\1\t/' > ../table.txt
/opt/local/kronatools20/bin/ktImportText -n META-pipe -o ../krona.html ../table.txt,genes > krona.log
