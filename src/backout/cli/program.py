"""What the program is called."""

from __future__ import annotations

PROGRAM, COMPLETING = "backout", "_BACKOUT_COMPLETE"
"""The command, and the variable in which a shell asks it for completions."""
