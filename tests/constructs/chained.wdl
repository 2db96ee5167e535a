version 1.0

task show {
  input {
    Int a = 1
    Int b = a + 1
    String text = "a is ~{a}"
    Array[Int] both = [a, b]
  }
  Int c = b * 10
  command <<< echo "~{a} ~{b} ~{text} ~{sep="-" both} ~{c}" >>>
  output { String shown = read_string(stdout()) }
}

workflow chained {
  call show as plain
  call show as changed { input: a = 5 }
  call show as all { input: a = 5, b = 1, text = "t" }
  output { Array[String] shown = [plain.shown, changed.shown, all.shown] }
}
