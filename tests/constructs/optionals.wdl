version 1.0

task options {
  input {
    String? given
    String? missing
    Int threads = 2
    Array[String]+ names
    Boolean flag = true
  }
  command <<<
    echo 'a~{"--given " + given}z'
    echo 'a~{"--missing " + missing}z'
    echo '~{default="none" missing} ~{default="none" given}'
    echo '~{threads}'
    echo '~{sep=", " names}'
    echo '~{true="--on" false="--off" flag} ~{true="--on" false="--off" !flag}'
  >>>
  output {
    Array[String] lines = read_lines(stdout())
    String? none = missing
    File? absent = "absent.txt"
  }
}

workflow optionals {
  input { String? given String? missing Int? number }
  call options { input: given = given, missing = missing, names = ["n", "m"] }
  output {
    Array[String] lines = options.lines
    String? none = options.none
    File? absent = options.absent
    Int first = select_first([number, 5])
    Array[String] all = select_all([missing, given, missing])
    Boolean has = defined(given)
    Boolean has_not = defined(missing)
  }
}
