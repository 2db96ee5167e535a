version 1.0

struct Scores {
  Map[String, Int] by_name
}

workflow empty_map {
  input { Scores scores }
  output { Scores same = scores }
}
