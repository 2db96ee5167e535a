version 1.0

task write {
  command <<<
    printf 'one\ntwo\n\nthree\n' > lines
    printf 'a\tb\nc\td\n' > table
    printf 'k\t1\nl\t2\n' > map
    printf '{"list": [1, 2, 3], "text": "t"}' > json
    printf '  word  \n' > string
    echo -17 > int
    echo 2.5 > float
    echo true > boolean
    printf 'to stderr\n' >&2
    printf 'to stdout\n'
  >>>
  output {
    Array[String] lines = read_lines("lines")
    Array[Array[String]] table = read_tsv("table")
    Map[String, Int] map = read_map("map")
    File json = "json"
    Int int = read_int("int")
    Float float = read_float("float")
    Boolean boolean = read_boolean("boolean")
    String out = read_string(stdout())
    String err = read_string(stderr())
  }
}

struct Json { Array[Int] list String text }

workflow reads {
  call write
  Json json = read_json(write.json)
  output {
    Array[String] lines = write.lines
    Array[Array[String]] table = write.table
    Map[String, Int] map = write.map
    Int third = json.list[2]
    String text = json.text
    Int int = write.int
    Float float = write.float
    Boolean boolean = write.boolean
    String out = write.out
    String err = write.err
  }
}
