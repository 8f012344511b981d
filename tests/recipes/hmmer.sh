# SPDX-License-Identifier: MIT
# Profile HMMs: build, search, scan, iterate. The tutorial's data.
compares="build, search, press, scan, iterate, nhmmer, align: the tutorial"
data_packages=(hmmer-doc)
data_files=(usr/share/doc/hmmer/tutorial/{globins4.sto,globins45.fa,HBB_HUMAN,fn3.hmm,Pkinase.hmm,7LESS_DROME,MADE1.hmm,dna_target.fa})

run() {
  tool hmmbuild globins4.hmm globins4.sto > hmmbuild.out
  tool hmmsearch --tblout globins.tbl globins4.hmm globins45.fa > hmmsearch.out
  cat fn3.hmm Pkinase.hmm > minipfam
  tool hmmpress minipfam > hmmpress.out
  tool hmmscan --domtblout 7less.tbl minipfam 7LESS_DROME > hmmscan.out
  tool jackhmmer -N 3 --cpu 1 HBB_HUMAN globins45.fa > jackhmmer.out
  tool nhmmer --tblout made1.tbl MADE1.hmm dna_target.fa > nhmmer.out
  tool hmmalign globins4.hmm globins45.fa > aligned.sto
}

# The day, the time that it took.
normalise() { sed -E '/^# Date:/d; /^DATE /d; /^# CPU time:/d; /^# Mc\/sec:/d'; }
