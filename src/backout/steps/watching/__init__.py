"""A rollout, followed to its verdict."""
