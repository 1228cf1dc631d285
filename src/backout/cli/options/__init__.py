"""Options, and what they come down to."""
