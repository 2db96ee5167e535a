version 1.1

task retried {
  input { String mark }
  command <<<
    echo x >> '~{mark}'
    [ "$(wc -l < '~{mark}')" -ge 3 ]
  >>>
  output { Int tries = length(read_lines(mark)) }
  runtime { maxRetries: 2 }
}

task allowed {
  command <<< echo three; exit 3 >>>
  output { String out = read_string(stdout()) }
  runtime { returnCodes: [0, 3] }
}

task any {
  command <<< echo any; exit 42 >>>
  output { String out = read_string(stdout()) }
  runtime { returnCodes: "*" }
}

workflow codes {
  input { String mark }
  call retried { input: mark }
  call allowed
  call any
  output {
    Int tries = retried.tries
    String three = allowed.out
    String other = any.out
  }
}
