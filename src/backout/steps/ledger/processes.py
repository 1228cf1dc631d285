"""Whether a process of this machine still lives."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def lives(pid: int) -> bool:
    """Tell whether the process runs; one that nobody has waited for yet is dead.

    In a container whose first process reaps no children the dead keep their pid for ever. Where
    there is no /proc (macOS) that cannot be told, and such a one counts as alive.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether its state is Z or X (proc(5): the field behind the name in parentheses)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] in (["Z"], ["X"])
