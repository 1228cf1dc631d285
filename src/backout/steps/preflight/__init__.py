"""Everything before the first write."""
