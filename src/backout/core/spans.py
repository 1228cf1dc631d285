"""Lengths of time in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def span(until: datetime, *, since: datetime) -> str:
    """Return the time between two moments in words, at one unit: `4 min`; never negative."""
    return words(until - since)


def words(length: timedelta) -> str:
    """Return a length of time in words, at one unit; never negative."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
