version 1.0

import "inner/part.wdl" as part

workflow bundled {
  call part.shout { input: word = "here" }
  output { String out = shout.out }
}
