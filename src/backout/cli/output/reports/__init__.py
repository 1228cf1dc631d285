"""Reports on incidents and standing: one page, made of values alone."""
