"""What differs between two Pod templates: field by field, in words, and as a JSON Patch."""
