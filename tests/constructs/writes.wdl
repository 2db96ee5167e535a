version 1.0

task show {
  input {
    Array[String] lines
    Array[Array[String]] table
    Map[String, Int] map
    Pair[Int, String] pair
  }
  command <<<
    cat ~{write_lines(lines)}
    echo -
    cat ~{write_tsv(table)}
    echo -
    cat ~{write_map(map)}
    echo -
    cat ~{write_json(lines)} | tr -d ' \n'
    echo
    echo ~{pair.left}~{pair.right}
  >>>
  output { Array[String] shown = read_lines(stdout()) }
}

workflow writes {
  call show {
    input: lines = ["a", "b c"], table = [["1", "2"], ["3", "4"]], map = {"k": 1}, pair = (7, "x")
  }
  File list = write_lines(["p", "q"])
  output {
    Array[String] shown = show.shown
    Array[String] again = read_lines(list)
  }
}
