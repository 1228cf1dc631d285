"""What holds where the user says nothing. Durations in seconds."""

from __future__ import annotations

ROLLBACKS, WINDOW = 2, 3600.0
"""How many rollbacks of one workload are allowed, and in which time."""
METHOD, SUCCESSES = "GET", 3
"""How URLs are asked for health, and how many good answers in a row prove it."""
HEALTH, SOAK, COMMAND = 60.0, 5.0, 30.0
"""How long the service may take, how long a success must hold, how long a smoke test may run."""
PREFLIGHT = 3.0
"""How long checks that can only warn may take."""
REHEARSAL = 60.0
"""How long a trial Pod may take to become Ready and healthy."""
LEASE = 60.0
"""How long the lock outlives its holder's last sign of life."""
READ, WRITE = 10.0, 60.0
"""How long one request may take; a write waits for webhooks, and is never sent again."""
