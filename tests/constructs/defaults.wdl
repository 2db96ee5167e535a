version 1.0

task show {
  input {
    Int a = 1
    Int b = a + 1
    String text = "a is ~{a}"
  }
  Int c = a * 10
  command <<< echo "~{a} ~{b} ~{text} ~{c}" >>>
  output { String shown = read_string(stdout()) }
}

workflow defaults {
  input {
    String sample
    String name = sample + "_name"
    String file = name + ".txt"
    Int? depth
    Int shown_depth = select_first([depth, 30])
  }
  call show as plain
  call show as changed { input: a = 5 }
  call show as all { input: a = 5, b = 1, text = "t" }
  output {
    String file_name = file
    Int depth_used = shown_depth
    Array[String] shown = [plain.shown, changed.shown, all.shown]
  }
}
