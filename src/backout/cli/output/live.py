"""The view of a running rollout at the bottom of a terminal, redrawn in place.

Each frame is one write that goes up, rewrites its lines and clears what is left over: nothing is
cleared first, so nothing flickers.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from backout.cli.output.gate import shown

if TYPE_CHECKING:
    from backout.core.rollout.view import View

_NARROWEST = 20
_NO_TERMINAL = {"", "dumb", "unknown"}


def is_possible() -> bool:
    """Tell whether frames can be drawn: a terminal on both streams, and nobody's CI log."""
    is_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    return (
        is_terminal
        and os.environ.get("TERM", "") not in _NO_TERMINAL
        and not os.environ.get("CI", "")
    )


def frame(view: View, columns: int) -> list[str]:
    """Return the lines of a frame, each at most `columns` - 1 characters long."""
    old = f", {view.old} old" if view.old else ""
    head = (
        f"  {view.available} of {view.wanted} available, {view.updated} updated{old}"
        f"  [{_clock(view.elapsed)} of {_clock(view.allowed)}]"
    )
    lines = [head, *(f"    {name}  {state}" for name, state in view.pods)]
    if view.more:
        lines.append(f"    and {view.more} more")
    if view.cause:
        lines.append(f"  {view.cause}")
    width = max(_NARROWEST, columns) - 1
    return [shown(line, width) for line in lines]


class Live:
    """Draws frames below the lines that have been printed."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def show(self, view: View | str | None) -> None:
        """Draw a frame, or one line, in the place of the last one; None takes it away."""
        lines = _frame(view, shutil.get_terminal_size().columns)
        if lines != self._lines:
            self._write(lines)

    def aside(self) -> list[str]:
        """Take the frame away before a line is printed; return it, to be put back."""
        lines = self._lines
        self._write([])
        return lines

    def back(self, lines: list[str]) -> None:
        """Put a frame back."""
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        if not lines and not self._lines:
            return
        up = f"\x1b[{len(self._lines)}A" if self._lines else ""
        body = "".join(f"{line}\x1b[K\n" for line in lines)
        # A terminal that was closed stops nothing: a rollback half done is worse.
        with suppress(OSError):
            sys.stderr.flush()
            sys.stdout.write(f"{up}\r{body}\x1b[J")
            sys.stdout.flush()
        self._lines = lines


def _frame(view: View | str | None, columns: int) -> list[str]:
    if isinstance(view, str):
        return [shown(view, max(_NARROWEST, columns) - 1)]
    return [] if view is None else frame(view, columns)


def _clock(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
