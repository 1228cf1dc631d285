"""Decides. No I/O, no clock, no randomness, no environment: now, ids and policy are arguments."""
