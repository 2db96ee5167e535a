version 1.0

import "deep/deepest.wdl" as below

workflow middle {
  input { String word Int? times }
  call below.repeat as first { input: word = word, times = select_first([times, 3]) }
  call below.deepest { input: word = first.out }
  output {
    String out = deepest.out
    Int size = deepest.size
  }
}
