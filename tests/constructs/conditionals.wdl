version 1.0

task say {
  input { String word }
  command <<< echo ~{word} >>>
  output { String said = read_string(stdout()) }
}

workflow conditionals {
  input { Boolean yes = true Boolean no = false }
  if (yes) {
    Int a = 1
    call say as spoken { input: word = "yes" }
    if (no) { Int b = 2 }
    if (!no) { Int c = 3 }
  }
  if (no) { call say as unspoken { input: word = "no" } }
  scatter (i in [1, 2, 3, 4]) {
    if (i % 2 == 0) { Int even = i }
  }
  output {
    Int? chosen = a
    Int? inner = b
    Int? other = c
    String? heard = spoken.said
    String? unheard = unspoken.said
    Array[Int?] evens = even
    Array[Int] only = select_all(even)
    String first = select_first([unspoken.said, spoken.said])
    Boolean there = defined(unspoken.said)
    Int ternary = if yes then 10 else 20
  }
}
