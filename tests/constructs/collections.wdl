version 1.1

workflow collections {
  input {
    Map[String, Int] given
    Pair[String, Array[Int]] pair
  }
  Map[String, Int] literal = {"x": 1, "y": 2}
  output {
    Int looked_up = literal["y"] + given["two"]
    Array[String] names = keys(literal)
    Array[Pair[String, Int]] pairs = as_pairs(literal)
    Map[String, Int] mapped = as_map([("p", 1), ("q", 2)])
    Map[String, Array[Int]] grouped = collect_by_key([("p", 1), ("q", 2), ("p", 3)])
    String first = pair.left
    Int second = pair.right[1]
    Array[Pair[Int, String]] zipped = zip([1, 2], ["a", "b"])
    Array[Pair[Int, String]] crossed = cross([1, 2], ["a", "b"])
    Pair[Array[Int], Array[String]] unzipped = unzip([(1, "a"), (2, "b")])
    Array[Array[Int]] turned = transpose([[1, 2, 3], [4, 5, 6]])
    Array[Int] flat = flatten([[1], [], [2, 3]])
    Array[String] before = prefix("-i ", ["a", "b"])
    Array[String] after_ = suffix(".txt", ["a", "b"])
    Array[String] quoted = quote(["a", "b"])
    Array[String] squoted = squote(["a", "b"])
    String separated = sep("+", ["a", "b", "c"])
    Int how_many = length([[1], [2]])
    Array[Int] counted = range(4)
    Int least = min(3, 2)
    Float most = max(1.5, 2)
  }
}
