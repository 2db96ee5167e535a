version 1.0
task one {
  input { Int i Int s String marks }
  command <<< echo ~{i} >> ~{marks}; sleep ~{s}; echo done ~{i} > out.txt >>>
  output { File f = "out.txt" }
}
task all {
  input { Array[File] fs }
  command <<< cat ~{sep=' ' fs} >>>
  output { Array[String] o = read_lines(stdout()) }
}
workflow marked {
  input { Int n = 3 Int s = 3 String marks }
  scatter (i in range(n)) { call one { input: i = i, s = s + i, marks = marks } }
  call all { input: fs = one.f }
  output { Array[String] os = all.o }
}
