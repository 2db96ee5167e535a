version 1.0

import "sample.wdl" as one

# Read statistics of several samples, in one table.
workflow reads {
  input {
    Array[File] fastqs
    Int? min_quality
    Boolean longest = true
  }

  scatter (fastq in fastqs) {
    call one.sample { input: fastq = fastq, min_quality = min_quality }
  }

  call merge { input: rows = sample.row }

  if (longest) {
    call longest_read { input: fastqs = fastqs }
  }

  output {
    File table = merge.table
    File? longest_fasta = longest_read.fasta
  }
}

task merge {
  input {
    Array[File] rows
  }
  command <<<
    set -euo pipefail
    printf 'sample\treads\tbases\tmean_length\tgc_percent\tmean_quality\n' > reads.tsv
    sort ~{sep=' ' rows} >> reads.tsv
  >>>
  output {
    File table = "reads.tsv"
  }
  runtime {
    cpu: 1
    memory: "200 MB"
  }
}

task longest_read {
  input {
    Array[File] fastqs
  }
  command <<<
    set -euo pipefail
    gzip -dc ~{sep=' ' fastqs} |
      awk 'NR % 4 == 1 { name = substr($1, 2) }
           NR % 4 == 2 && length($0) > best { best = length($0); id = name; bases = $0 }
           END { printf ">%s length=%d\n%s\n", id, best, bases }' > longest.fasta
  >>>
  output {
    File fasta = "longest.fasta"
  }
  runtime {
    cpu: 1
    memory: "200 MB"
  }
}
