version 1.1

task first {
  input { String mark }
  command <<< sleep 0.3; echo done > '~{mark}' >>>
}

task second {
  input { String mark }
  command <<< cat '~{mark}' >>>
  output { String seen = read_string(stdout()) }
}

workflow afterwards {
  input { String mark }
  call first { input: mark }
  call second after first { input: mark }
  output { String seen = second.seen }
}
