"""Lock and ledger: taken, kept, settled, closed."""
