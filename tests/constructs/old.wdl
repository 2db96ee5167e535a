task greet {
  String name
  String? title
  Array[String] friends
  command {
    echo "hello ${title + ' '}${name}"
    echo "friends: ${sep=', ' friends}"
  }
  output {
    Array[String] lines = read_lines(stdout())
  }
  runtime {
    continueOnReturnCode: [0, 1]
  }
}

workflow old {
  String who
  Array[String] friends = ["x", "y"]
  scatter (friend in friends) {
    call greet as each { input: name = friend, friends = [who] }
  }
  call greet { input: name = who, title = "Dr", friends = friends }
  output {
    Array[String] lines = greet.lines
    Array[Array[String]] others = each.lines
  }
}
