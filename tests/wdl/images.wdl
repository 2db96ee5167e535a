version 1.0

# Two tasks in one image: by its tag, and by its digest.

workflow images {
  input {
    String exact
    File? more
  }
  call tagged { input: more = more }
  call pinned { input: image = exact, before = tagged.lines }
  output {
    Array[String] by_tag = read_lines(tagged.lines)
    Array[String] by_digest = read_lines(pinned.lines)
  }
}

task tagged {
  input {
    File? more
  }
  command <<<
    cat /etc/small-image ~{more}
    pwd > here
    command -v docker || echo no docker
  >>>
  output {
    File lines = stdout()
  }
  runtime {
    docker: "lab/small:1.0"
  }
}

task pinned {
  input {
    String image
    File before
  }
  command <<<
    cat /etc/small-image
    cat ~{before} | wc -l
  >>>
  output {
    File lines = stdout()
  }
  runtime {
    docker: image
  }
}
