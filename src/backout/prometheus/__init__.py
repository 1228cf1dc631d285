"""Queries and alerts: the only package that talks to Prometheus."""
