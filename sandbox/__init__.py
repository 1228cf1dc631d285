"""A real Kubernetes on one machine: for the demo, the tests and the benchmarks.

Python's standard library only: it has to run before any virtual environment exists.
"""
