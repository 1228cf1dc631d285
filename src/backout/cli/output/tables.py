"""Tables of untrusted cells for whoever looks on: a terminal's width, a pipe's none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from backout.cli.output.columns import fitted, wrapped
from backout.cli.output.gate import shown
from backout.cli.output.streams import width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CELL, LINE, LONGEST = 200, 1000, 4000
"""Characters of a cell, of a line, of words that are never to be cut short; none is endless."""


def sentence(put: Callable[[str, str, bool], None], text: str, style: str = "") -> None:
    """Print a line of words, wrapped to a terminal's width."""
    for line in wrapped(shown(text, LINE), width_of(sys.stdout)):
        put(line, style, False)  # noqa: FBT003 (as the printers take it)


def table(
    put: Callable[[str, str, bool], None],
    header: tuple[str, ...] | None,
    rows: Sequence[tuple[str, tuple[str, ...]]],
) -> None:
    """Print rows, each with its style, below a header where there is one."""
    cells = [(*(shown(s, CELL) for s in row[:-1]), shown(row[-1], LONGEST)) for _, row in rows]
    styles = [style for style, _ in rows]
    if header is not None:
        cells, styles = [header, *cells], ["dim", *styles]
    if not cells:
        return
    for style, lines in zip(styles, fitted(cells, width_of(sys.stdout)), strict=True):
        for line in lines:
            put(line, style, False)  # noqa: FBT003 (as the printers take it)
