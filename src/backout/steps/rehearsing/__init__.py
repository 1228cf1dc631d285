"""A trial Pod of the target."""
