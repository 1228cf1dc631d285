"""Help: what stands where, and usage errors in the user's words."""
