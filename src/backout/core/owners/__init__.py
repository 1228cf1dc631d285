"""Who else writes a workload, and whether they put the template back."""
