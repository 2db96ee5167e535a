version 1.0

# Run once to learn which classes a run loads: a call, a scatter, files, an output.

task greet {
  input {
    String name
    File? list
  }
  command <<<
    echo "hello ~{name}" > greeting.txt
  >>>
  output {
    File greeting = "greeting.txt"
    String text = read_string(greeting)
  }
}

workflow warmup {
  scatter (name in ["ada", "alan"]) {
    call greet { input: name = name }
  }
  call greet as again { input: name = greet.text[0], list = greet.greeting[1] }
  output {
    Array[String] texts = greet.text
    File last = again.greeting
  }
}
