"""What a Pod template names and cannot do without."""
