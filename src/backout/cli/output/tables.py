"""Tables of untrusted cells for whoever looks on: a terminal's width, a pipe's none."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from backout.cli.output.columns import fitted, wrapped
from backout.cli.output.gate import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CELL, LINE, LONGEST = 200, 1000, 4000
"""Characters of a cell, of a line, of a value's line; a cluster's text may be endless."""


def width() -> int | None:
    """Return the terminal's width; None where stdout is none, and nothing is to be wrapped."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def sentence(put: Callable[[str, str, bool], None], text: str, style: str = "") -> None:
    """Print a line of words, wrapped to a terminal's width."""
    for line in wrapped(shown(text, LINE), width()):
        put(line, style, False)  # noqa: FBT003 (as the printers take it)


def table(
    put: Callable[[str, str, bool], None],
    header: tuple[str, ...] | None,
    rows: Sequence[tuple[str, tuple[str, ...]]],
) -> None:
    """Print rows, each with its style, below a header where there is one."""
    cells = [tuple(shown(cell, CELL) for cell in row) for _, row in rows]
    styles = [style for style, _ in rows]
    if header is not None:
        cells, styles = [header, *cells], ["dim", *styles]
    if not cells:
        return
    for style, lines in zip(styles, fitted(cells, width()), strict=True):
        for line in lines:
            put(line, style, False)  # noqa: FBT003 (as the printers take it)
