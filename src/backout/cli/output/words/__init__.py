"""Events in words for people: a fact a line, and at the end what to do."""
