version 1.0

# One sample: its reads filtered where a quality is asked for, then counted.
workflow sample {
  input {
    File fastq
    Int? min_quality
  }

  if (defined(min_quality)) {
    call filter { input: fastq = fastq, min_quality = select_first([min_quality]) }
  }

  call stats {
    input: fastq = select_first([filter.kept, fastq]), name = basename(fastq, ".fastq.gz")
  }

  output {
    File row = stats.row
  }
}

task filter {
  input {
    File fastq
    Int min_quality
  }
  command <<<
    set -euo pipefail
    gzip -dc ~{fastq} | awk -v least=~{min_quality} '
      BEGIN { for (code = 33; code < 127; code++) value[sprintf("%c", code)] = code - 33 }
      { line[NR % 4] = $0 }
      NR % 4 == 0 {
        sum = 0
        for (at = 1; at <= length($0); at++) sum += value[substr($0, at, 1)]
        if (sum / length($0) >= least) print line[1] "\n" line[2] "\n" line[3] "\n" $0
      }' | gzip -n > kept.fastq.gz
  >>>
  output {
    File kept = "kept.fastq.gz"
  }
  runtime {
    cpu: 1
    memory: "200 MB"
  }
}

task stats {
  input {
    File fastq
    String name
  }
  command <<<
    set -euo pipefail
    gzip -dc ~{fastq} | awk -v name='~{name}' '
      BEGIN { for (code = 33; code < 127; code++) value[sprintf("%c", code)] = code - 33 }
      NR % 4 == 2 { reads++; bases += length($0); gc += gsub(/[GCgc]/, "") }
      NR % 4 == 0 { for (at = 1; at <= length($0); at++) quality += value[substr($0, at, 1)] }
      END {
        printf "%s\t%d\t%d\t%.1f\t%.1f\t%.1f\n", name, reads, bases,
          bases / reads, 100 * gc / bases, quality / bases
      }' > row.tsv
  >>>
  output {
    File row = "row.tsv"
  }
  runtime {
    cpu: 1
    memory: "200 MB"
  }
}
