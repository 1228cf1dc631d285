"""What was read before a decision, as one value."""
