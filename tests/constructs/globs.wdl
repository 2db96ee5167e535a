version 1.0

task make {
  command <<<
    mkdir sub
    for name in b a c; do echo $name > $name.txt; done
    echo deep > sub/d.txt
    echo other > other.log
  >>>
  output {
    Array[File] texts = glob("*.txt")
    Array[File] deep = glob("sub/*")
    Array[File] nothing = glob("*.bam")
    File one = "other.log"
  }
}

task join {
  input { Array[File] parts }
  command <<< cat ~{sep=" " parts} >>>
  output { Array[String] lines = read_lines(stdout()) }
}

workflow globs {
  call make
  call join { input: parts = make.texts }
  scatter (text in make.texts) { String name = basename(text, ".txt") }
  output {
    Array[String] names = name
    Array[String] joined = join.lines
    Int deep = length(make.deep)
    String below = basename(make.deep[0])
    Int nothing = length(make.nothing)
    String log = read_string(make.one)
  }
}
