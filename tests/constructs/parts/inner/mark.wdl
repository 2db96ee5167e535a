version 1.0

task mark {
  input { String word }
  command <<< echo '~{word}!' >>>
  output { String out = read_string(stdout()) }
}
