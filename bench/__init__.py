"""Benchmarks, run by hand with `make bench`: medians and ratios in one run, by public tools."""
