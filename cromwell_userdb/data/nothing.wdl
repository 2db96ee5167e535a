version 1.0

workflow nothing {}
