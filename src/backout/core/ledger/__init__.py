"""Records of rollbacks, the memory of what works, and the breaker, as values."""
