version 1.1

workflow attributes {
  call own
  call plain
  call fast
  call known
  call stubborn
  output {
    Array[Int] ns = [own.n, plain.n, fast.n, known.n, stubborn.n]
  }
}

task own {
  command <<< true >>>
  output {
    Int n = 1
  }
  runtime {
    cpu: 3
    memory: "150 MB"
    disks: "local-disk 10 SSD, /mnt/data 20 GiB"
    slurm_partition: "short"
    slurm_account: "depta"
    slurm_qos: "normal"
    slurm_constraint: "old"
    slurm_exclude: "n3"
    slurm_time: "0:07:00"
    slurm_extra: "--nice=7 --mail-type=NONE"
  }
}

task plain {
  command <<< true >>>
  output {
    Int n = 2
  }
}

task fast {
  command <<< true >>>
  output {
    Int n = 3
  }
  runtime {
    memory: "50 MB"
    gpuCount: 2
    gpuType: "a100"
    runtime_minutes: 9
    slurm_partition: "urgent"
  }
}

task known {
  command <<< exit 3 >>>
  output {
    Int n = 4
  }
  runtime {
    memory: "50 MB"
    returnCodes: [0, 3]
  }
}

task stubborn {
  command <<<
    case $PWD in */attempt-3/*) exit 4 ;; *) exit 5 ;; esac
  >>>
  output {
    Int n = 5
  }
  runtime {
    memory: "50 MB"
    maxRetries: 2
    continueOnReturnCode: [4]
  }
}
