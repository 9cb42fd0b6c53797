"""Benchmarks: featkit and its rivals, measured in the same run, on the same files, in turn."""
