"""Rolls a Kubernetes workload back to a revision proven to work, and proves that it did."""

__version__ = "0.1.0"
