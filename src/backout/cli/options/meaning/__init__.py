"""What the groups of options come down to."""
