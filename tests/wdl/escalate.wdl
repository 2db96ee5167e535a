version 1.0

# Each of these calls is ended from outside at its first attempt, and done at its second.
workflow escalate {
  input {
    Int lost_retries = 0
    Boolean slow = false
  }
  call hungry
  call displaced { input: retries = lost_retries }
  call stranded { input: retries = lost_retries }
  call dropped
  call withdrawn
  if (slow) {
    call late
  }
  output {
    Array[String] said = [hungry.o, displaced.o, stranded.o, dropped.o, withdrawn.o]
  }
}

task hungry {
  command <<<
    python3 -c 'import time; x = bytearray(400 * 2**20); time.sleep(5)'
  >>>
  output {
    String o = "fed"
  }
  runtime {
    memory: "200 MB"
    maxRetries: 1
  }
}

task displaced {
  input {
    Int retries
  }
  command <<<
    case $PWD in */attempt-2/*) ;; *) sleep 300 ;; esac
  >>>
  output {
    String o = "back"
  }
  runtime {
    memory: "50 MB"
    cpu: 64
    slurm_partition: "low"
    maxRetries: retries
  }
}

task stranded {
  input {
    Int retries
  }
  command <<<
    case $PWD in */attempt-2/*) ;; *) sleep 300 ;; esac
  >>>
  output {
    String o = "elsewhere"
  }
  runtime {
    memory: "50 MB"
    slurm_exclude: "n1"
    maxRetries: retries
  }
}

task dropped {
  command <<<
    case $PWD in */attempt-2/*) ;; *) sleep 300 ;; esac
  >>>
  output {
    String o = "taken up"
  }
  runtime {
    memory: "50 MB"
    maxRetries: 1
  }
}

task withdrawn {
  command <<<
    case $PWD in */attempt-2/*) ;; *) sleep 300 ;; esac
  >>>
  output {
    String o = "given back"
  }
  runtime {
    memory: "50 MB"
    maxRetries: 1
  }
}

task late {
  command <<<
    sleep 105
  >>>
  output {
    String o = "at last"
  }
  runtime {
    memory: "50 MB"
    slurm_time: "1"
    maxRetries: 1
  }
}
