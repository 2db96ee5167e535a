version 1.0
workflow lines {
  input { File file }
  call count { input: file = file }
  output { Int number = count.lines }
}
task count {
  input { File file }
  command <<< wc -l < ~{file} >>>
  output { Int lines = read_int(stdout()) }
}
