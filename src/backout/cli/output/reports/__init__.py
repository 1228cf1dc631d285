"""Reports on incidents and standing: one page, made of values alone."""

FORMATS = ("md", "html", "json")
"""Of a page, the usual one first."""
