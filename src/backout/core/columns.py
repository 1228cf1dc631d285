"""Rows as lines with aligned columns, kubectl's three spaces apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def columns(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, its header first."""
    listed = [header, *rows]
    widths = [max(len(cells[i]) for cells in listed) for i in range(len(header))]
    return [
        "   ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
        for cells in listed
    ]
