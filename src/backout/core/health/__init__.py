"""What is asked for health, what a good answer is, and what the answers say together."""
