"""One `up` or `down` at a time: a lock on a folder itself, so that it leaves no file behind."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_SECONDS = 0.2


@contextmanager
def locked(folder: Path, who: str, seconds: float = 900) -> Iterator[int]:
    """Hold the folder; yields the descriptor whose inheritance prolongs the lock."""
    deadline = time.monotonic() + seconds
    waiting = False
    while (descriptor := _try(folder)) is None:
        if not waiting:
            say(f"  waiting for another {who} to end")
            waiting = True
        if time.monotonic() > deadline:
            raise SandboxError(
                f"Another {who} has held {folder} for {seconds:.0f} s: end it and try again."
            )
        time.sleep(POLL_SECONDS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try(folder: Path) -> int | None:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The one who held it may have removed the folder: then this locks a name nobody finds.
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
