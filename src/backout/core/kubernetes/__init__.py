"""What every object of the API has: names, labels, templates, quantities, events, who wrote it."""
