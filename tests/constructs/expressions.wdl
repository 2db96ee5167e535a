version 1.0

workflow expressions {
  input { Int seven = 7 Float half = 0.5 Boolean yes = true }
  output {
    Array[Int] whole = [seven + 3 * 2, (seven + 3) * 2, seven / 2, seven % 4, -seven]
    Array[Float] real = [seven * half, half - 1.0, 7.0 / 2]
    Array[Boolean] compared = [seven > 6, seven <= 6, "a" < "b", half == 0.5, "x" != "x"]
    Array[Boolean] logic = [yes && !yes, yes || false, !(yes && yes)]
    String joined = "n" + seven + "-" + half
    String nested = "~{seven} ${seven} ~{if yes then "y" else "n"}"
    String escaped = "tab\there \"quoted\" back\\slash"
    Int indexed = [[1, 2], [3]][0][1]
    Int chained = if seven > 5 then if seven > 6 then 1 else 2 else 3
  }
}
