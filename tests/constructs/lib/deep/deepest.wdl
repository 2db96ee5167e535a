version 1.0

task repeat {
  input { String word Int times = 1 }
  command <<< for i in $(seq ~{times}); do printf %s '~{word}'; done >>>
  output { String out = read_string(stdout()) }
}

task count {
  input { String word }
  command <<< printf %s '~{word}' | wc -c >>>
  output { Int size = read_int(stdout()) }
}

workflow deepest {
  input { String word }
  call count { input: word = word }
  output {
    String out = "<" + word + ">"
    Int size = count.size
  }
}
