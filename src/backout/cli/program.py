"""What the program is called."""

from __future__ import annotations

import os
import sys

PROGRAM, COMPLETING = "backout", "_BACKOUT_COMPLETE"
"""The command, and the variable in which a shell asks it for completions."""
MARK = "mark"
"""The word that may stand before the workload of `ledger`."""


def program() -> str:
    """Return the name that the user called."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 (pathlib takes 3 ms to load)
    return "kubectl backout" if name.startswith("kubectl") else PROGRAM
