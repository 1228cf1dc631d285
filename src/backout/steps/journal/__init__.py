"""The journal: written, and read back."""
