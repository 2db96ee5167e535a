version 1.0

task show {
  input { Map[String, Int] map }
  command <<< tr -d ' \n' < ~{write_json(map)} >>>
  output { String shown = read_string(stdout()) }
}

workflow json_map {
  call show { input: map = {"k": 1} }
  output { String shown = show.shown }
}
