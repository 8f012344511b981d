// SPDX-License-Identifier: MIT
// A packed file is a command like any other: nextflow run prodigal.nf --contigs contigs.fasta
// (with the directory of prodigal.AppImage in PATH). Nextflow hands files over as links: bind-args follows
// them; rw: where the inputs lie above the work directory, that directory must stay writable.
process prodigal {
  publishDir params.results

  input:
  path contigs

  output:
  path 'proteins.faa'

  script:
  """
  prodigal.AppImage --rootlet-bind-args=rw -p meta -q -f gff -o genes.gff -a proteins.faa -i $contigs
  """
}

workflow {
  prodigal(Channel.fromPath(params.contigs)) | view
}
