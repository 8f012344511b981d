# SPDX-License-Identifier: MIT
# A packed file is a command like any other: cwltool prodigal.cwl --contigs contigs.fasta
# (with the directory of prodigal.AppImage in PATH, and --preserve-environment PATH).
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [prodigal.AppImage, --rootlet-bind-args]
arguments: [-p, meta, -q, -f, gff, -o, genes.gff, -a, proteins.faa]
inputs:
  contigs:
    type: File
    inputBinding: {prefix: -i}
outputs:
  proteins:
    type: File
    outputBinding: {glob: proteins.faa}
  genes:
    type: File
    outputBinding: {glob: genes.gff}
