version 1.0

struct Place {
  String name
  Pair[Int, Int] at
}

struct Person {
  String name
  Int? age
  Array[Place]+ places
  Map[String, Int] scores
}

task greet {
  input { Person person }
  command <<< echo 'hello ~{person.name} of ~{person.places[0].name}' >>>
  output {
    String words = read_string(stdout())
    Person same = person
  }
}

workflow structs {
  input { Array[Person] people }
  scatter (person in people) { call greet { input: person = person } }
  Place made = object { name: "made", at: (1, 2) }
  output {
    Array[String] greetings = greet.words
    Array[Int?] ages = [people[0].age, people[1].age]
    Int score = people[0].scores["b"]
    Int down = people[1].places[1].at.right
    String literal = made.name
    Person back = greet.same[1]
  }
}
