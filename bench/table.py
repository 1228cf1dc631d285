"""Puts a table between its markers in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put(file: Path, name: str, table: str) -> None:
    """Replace what stands between the markers `name: begin` and `name: end`."""
    begin, end = f"<!-- {name}: begin (make bench) -->", f"<!-- {name}: end -->"
    before, _, rest = file.read_text().partition(begin)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{begin}\n{table}\n{end}{after}")
