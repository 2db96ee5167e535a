version 1.0

import "mark.wdl" as marks

workflow shout {
  input { String word }
  call marks.mark { input: word = word }
  output { String out = mark.out }
}
