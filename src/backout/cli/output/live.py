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
_MARGIN = 3
"""Rows that stay free: of the line above, and of the cursor below."""
_NO_TERMINAL = {"", "dumb", "unknown"}


def is_possible() -> bool:
    """Tell whether frames can be drawn: a terminal on both streams, and nobody's CI log."""
    is_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    return (
        is_terminal
        and os.environ.get("TERM", "") not in _NO_TERMINAL
        and not os.environ.get("CI", "")
    )


def frame(view: View, columns: int, rows: int = 24) -> list[str]:
    """Return the lines of a frame: at most `columns` - 1 characters long, and `rows` - 3 of them.

    A frame as high as the terminal would leave its first lines behind, each time it is drawn.
    """
    old = f"   old {view.old_ready} ready of {view.old}" if view.old else ""
    time = f"{_clock(view.elapsed)} of {_clock(view.allowed)}"
    healthy = f"   healthy {view.healthy}" if view.healthy else ""
    head = f"  new {view.ready}/{view.wanted} ready{old}{healthy}   {time}"
    cause = [f"  {view.cause}"] if view.cause else []
    room = max(0, rows - _MARGIN - len([head, *cause]))
    fits = len(view.pods) if len(view.pods) + bool(view.more) <= room else max(0, room - 1)
    more = view.more + len(view.pods) - fits
    pods = [f"    {name}  {state}" for name, state in view.pods[:fits]]
    pods += [f"    and {more} more"] if more and room else []
    width = max(_NARROWEST, columns) - 1
    return [shown(line, width) for line in [head, *pods, *cause]]


class Live:
    """Draws frames below the lines that have been printed."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def show(self, view: View | str | None) -> None:
        """Draw a frame, or one line, in the place of the last one; None takes it away."""
        size = shutil.get_terminal_size()
        lines = _frame(view, size.columns, size.lines)
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


def _frame(view: View | str | None, columns: int, rows: int) -> list[str]:
    if isinstance(view, str):
        return [shown(view, max(_NARROWEST, columns) - 1)]
    return [] if view is None else frame(view, columns, rows)


def _clock(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
