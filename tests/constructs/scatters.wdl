version 1.0

task add {
  input { Int a Int b }
  command <<< echo $((~{a} + ~{b})) >>>
  output { Int sum = read_int(stdout()) }
}

workflow scatters {
  input {
    Array[Int] xs = [1, 2, 3]
    Array[Int] nothing = []
  }
  scatter (x in xs) {
    Int square = x * x
    call add { input: a = x, b = square }
  }
  scatter (outer in xs) {
    scatter (inner in [10, 20]) {
      Int product = outer * inner
      call add as each { input: a = outer, b = inner }
    }
  }
  scatter (n in nothing) { Int never = n }
  scatter (both in zip(xs, ["a", "b", "c"])) { String joined = both.right + both.left }
  call add as gathered { input: a = add.sum[0], b = length(each.sum) }
  output {
    Array[Int] squares = square
    Array[Int] sums = add.sum
    Array[Array[Int]] products = product
    Array[Array[Int]] nested = each.sum
    Array[Int] nevers = never
    Array[String] names = joined
    Int last = gathered.sum
  }
}
