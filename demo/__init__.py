"""A broken rollout on a real cluster, and the way back."""
