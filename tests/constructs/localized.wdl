version 1.0

task read {
  input { File data Array[File] more Map[String, File] named }
  command <<<
    cat ~{data} ~{sep=" " more} ~{named["k"]}
    case ~{data} in "$(dirname "$PWD")"/*) echo inside;; *) echo outside;; esac
  >>>
  output { Array[String] lines = read_lines(stdout()) }
}

workflow localized {
  input { File data Array[File] more Map[String, File] named }
  call read { input: data = data, more = more, named = named }
  output {
    Array[String] lines = read.lines
    String direct = read_string(data)
  }
}
