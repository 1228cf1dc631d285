"""Lengths of time in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def span(until: datetime, *, since: datetime) -> str:
    """Return the time between two moments in words, at one unit: `4 min`; never negative."""
    seconds = max(0, int((until - since).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
