"""A terminal of a given size (a pty): programs run in it, and tests read what it would show."""

from __future__ import annotations

import os
import re
import select
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

WITHIN = 60.0
"""Seconds: the deadline of every wait, far longer than anything takes."""
ESCAPE = "\x1b"
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


class Terminal:
    """A context manager; `name` is the device's path, `seen` all that was shown so far."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.seen = ""
        self._raw = b""

    def __enter__(self) -> Self:
        self._ours, self.theirs = os.openpty()
        self.name = os.ttyname(self.theirs)
        termios.tcsetwinsize(self.theirs, (50, self.columns))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in (self._ours, self.theirs):
            if descriptor >= 0:
                os.close(descriptor)

    def leave(self) -> None:
        """Close our copy of the program's side: its end is now the end of what is read."""
        os.close(self.theirs)
        self.theirs = -1

    def vanish(self) -> None:
        """Close the terminal's own side, as a window that is closed."""
        os.close(self._ours)
        self._ours = -1

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Read until the pattern is there; return its match and forget what it covers."""
        deadline = time.monotonic() + WITHIN
        while (match := re.search(pattern, self.seen, re.DOTALL)) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} was not shown:\n{self.seen}"
            assert self._read(left), f"it ended without {pattern!r}:\n{self.seen}"
        self.seen = self.seen[match.end() :]
        return match

    def rest(self) -> str:
        """Read to the end of the program (after `leave`), with plain line ends."""
        deadline = time.monotonic() + WITHIN
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, f"it does not end:\n{self.seen}"
        return self.seen.replace("\r\n", "\n")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(seconds, 0))
        if not ready:
            return True
        try:
            chunk = os.read(self._ours, 65536)
        except OSError:  # Linux's end of a terminal that nobody holds any more
            return False
        self._raw += chunk
        self.seen += chunk.decode(errors="replace")
        return bool(chunk)


def plain(text: str) -> str:
    return SEQUENCE.sub("", text)
