version 1.0

task heredoc {
  input { String word }
  command <<<
    shell=inner
    echo "${shell} ~{word} $((1 + 2))"
      echo indented
    cat <<'END'
    kept {as} "it" 'is'
      two
    END
  >>>
  output { Array[String] lines = read_lines(stdout()) }
}

task braces {
  input { String word Array[Int] numbers }
  command {
    echo ${word} ~{word}
    echo "sum: ~{numbers[0] + numbers[1]}"
    echo '~{"q" + "~{word}" + "r"}'
  }
  output { Array[String] lines = read_lines(stdout()) }
}

workflow commands {
  call heredoc { input: word = "w" }
  call braces { input: word = "w", numbers = [2, 3] }
  output {
    Array[String] here = heredoc.lines
    Array[String] curly = braces.lines
  }
}
