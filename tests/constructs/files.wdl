version 1.0

task fill {
  input { Int bytes }
  command <<< head -c ~{bytes} /dev/zero > data.bin >>>
  output { File data = "data.bin" }
}

task measure {
  input { File data File? absent }
  Float in_task = size(data)
  command <<< wc -c < ~{data}; basename ~{data} >>>
  output {
    Array[String] seen = read_lines(stdout())
    Float task_size = in_task
    Float none = size(absent)
  }
}

workflow files {
  call fill as one { input: bytes = 2048 }
  call fill as two { input: bytes = 1024 }
  call measure { input: data = one.data }
  output {
    Float bytes = size(one.data)
    Float kibi = size(one.data, "KiB")
    Float all = size([one.data, two.data])
    Array[String] seen = measure.seen
    Float task_size = measure.task_size
    Float none = measure.none
    String base = basename(one.data)
    String stem = basename(one.data, ".bin")
    String swapped = sub("data.bin", "\\.bin$", ".bai")
    Array[Int] rounded = [floor(1.7), ceil(1.2), round(1.5), round(1.4)]
  }
}
