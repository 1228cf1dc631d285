"""How a rollout stands."""
