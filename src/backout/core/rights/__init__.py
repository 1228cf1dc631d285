"""What may be done, and the least Role for it."""
