"""From the journal to the incident."""
