version 1.0

import "lib/middle.wdl"
import "lib/deep/deepest.wdl" as bottom

workflow imports {
  call middle.middle as once { input: word = "a" }
  call middle.middle as twice { input: word = "b", times = 2 }
  call bottom.repeat { input: word = "c" }
  scatter (w in ["d", "e"]) { call middle.middle as many { input: word = w } }
  output {
    String one = once.out
    String two = twice.out
    String three = repeat.out
    Array[String] four = many.out
    Array[Int] lengths = many.size
  }
}
