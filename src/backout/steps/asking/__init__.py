"""Questions about health."""
