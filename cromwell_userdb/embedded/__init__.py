"""An engine of our own behind Cromwell's command line: miniwdl reads, we run.

A guest in the house: only `engine` starts it, and it may be deleted without a trace.
"""
