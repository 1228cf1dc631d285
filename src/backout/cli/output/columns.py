"""Rows as lines with aligned columns, kubectl's three spaces apart."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = "   "
_LEAST = 24
"""Characters beside a label below which the rest of its words stands further left."""
_ROOM = 40
"""Characters of a table's last column below which its words stand in lines of their own."""
_INDENT = " " * 4


def columns(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, its header first."""
    return list(_aligned([header, *rows]))


def fitted(rows: Sequence[tuple[str, ...]], width: int | None) -> list[list[str]]:
    """Return the lines of each row of a table no wider than `width` (None: as wide as it is).

    What does not fit of the last column is wrapped at words: below its beginning, or, where that
    leaves too little room, in lines of its own below the row, with each column before it that goes
    beyond the width. No word is cut: a name that is longer than a line can still be copied.
    """
    lines = list(_aligned(rows))
    if width is None or all(len(line) <= width for line in lines):
        return [[line] for line in lines]
    firsts = list(_aligned([row[:-1] for row in rows], is_padded=True))
    is_beside = width - max(map(len, firsts)) - len(GAP) >= _ROOM
    if is_beside:
        return [_beside(one, row[-1], width) for one, row in zip(firsts, rows, strict=True)]
    kept = _fitting(rows, width)
    heads = _aligned([row[:kept] for row in rows])
    rests = _aligned([row[kept:] for row in rows])
    return [_below(head, rest, width) for head, rest in zip(heads, rests, strict=True)]


def wrapped(line: str, width: int | None) -> list[str]:
    """Return a line wrapped at words to a width (None: as it is), the rest of it indented."""
    if width is None or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return _wrapped(line.strip(), indent + _INDENT, width, first=indent)


def hung(start: str, text: str, width: int, *, more: str = "") -> list[str]:
    """Return a text wrapped at words to a width behind its start, the rest of it below its words.

    `more` indents the rest further. Where a narrow terminal leaves too little room beside the
    start, the rest is indented a little.
    """
    indent = " " * len(start) + more if width - len(start) >= _LEAST else _INDENT
    return _wrapped(text, indent, width, first=start) or [start.rstrip()]


def _aligned(rows: Sequence[tuple[str, ...]], *, is_padded: bool = False) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for cells in rows:
        line = GAP.join(c.ljust(w) for c, w in zip(cells, widths, strict=True))
        yield line if is_padded else line.rstrip()


def _fitting(rows: Sequence[tuple[str, ...]], width: int) -> int:
    """Return how many of the columns before the last fit side by side; one at least."""
    most = len(rows[0]) - 1
    counts = range(most, 1, -1)
    return next((n for n in counts if max(map(len, _aligned([r[:n] for r in rows]))) <= width), 1)


def _beside(first: str, last: str, width: int) -> list[str]:
    lines = _wrapped(last, " " * len(first + GAP), width) or [""]
    return [(first + GAP + lines[0].lstrip()).rstrip(), *lines[1:]]


def _below(first: str, last: str, width: int) -> list[str]:
    return [first.rstrip(), *_wrapped(last, _INDENT, width)]


def _wrapped(text: str, indent: str, width: int, *, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, len(indent) + 1),
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
