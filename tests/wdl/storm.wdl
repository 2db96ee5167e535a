version 1.0
task first {
  input { Int i Int s String marks }
  command <<< echo first~{i} >> ~{marks}; sleep ~{s}; echo ~{i} > out.txt >>>
  output { File f = "out.txt" }
  runtime { memory: "100 MB" }
}
task second {
  input { File f Int i String marks }
  command <<< echo second~{i} >> ~{marks}; cat ~{f} >>>
  output { String o = "done " + read_string(stdout()) }
  runtime { memory: "100 MB" }
}
workflow storm {
  input { Array[Int] sleeps String marks }
  scatter (i in range(length(sleeps))) {
    call first { input: i = i, s = sleeps[i], marks = marks }
    call second { input: f = first.f, i = i, marks = marks }
  }
  output { Array[String] os = second.o }
}
