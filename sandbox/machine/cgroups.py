"""Our own root in every cgroup hierarchy: what lives below it is ours."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

NAME = "backout-sandbox"
CGROUPS = Path("/sys/fs/cgroup")
POLL_SECONDS = 0.05
# A cpuset without them takes no process.
INHERITED = ("cpuset.cpus", "cpuset.mems")


def roots() -> list[Path]:
    """Return where our root is or would be: one a hierarchy with v1, one in all with v2."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS / NAME]
    hierarchies = [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]
    return [path / NAME for path in hierarchies if (path / "cgroup.procs").exists()]


def make() -> None:
    """Make our root everywhere."""
    for root in roots():
        root.mkdir(exist_ok=True)
        for name in INHERITED:
            file = root / name
            if (root.parent / "cgroup.clone_children").exists() and file.exists():
                file.write_text((root.parent / name).read_text())


def pids() -> set[int]:
    """Return the numbers of all processes below our root."""
    found: set[int] = set()
    for root in roots():
        for folder, _, files in os.walk(root):
            if "cgroup.procs" in files:
                # A cgroup may go while we look.
                with contextlib.suppress(OSError):
                    text = (Path(folder) / "cgroup.procs").read_text()
                    found |= {int(word) for word in text.split()}
    return found


def remove(seconds: float = 3) -> None:
    """Remove our root everywhere, innermost first; a killed process holds its own for a moment."""
    deadline = time.monotonic() + seconds
    while left := [root for root in roots() if root.exists()]:
        for root in left:
            for folder, _, _ in os.walk(root, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_SECONDS)
