"""Records of the ledger as rows for people, and what the breaker makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core import breaker
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from backout.core.ledger import Record

HEADER = ("WHEN", "FROM", "TO", "STATE", "HEALTH", "ACTOR", "REASON")


def row(record: Record, now: datetime) -> tuple[str, ...]:
    """Return a record's cells, in the order of `HEADER`; untrusted text."""
    return (
        f"{span(now, since=record.intent_at)} ago",
        str(record.source.revision),
        str(record.destination.revision),
        str(record.state),
        record.health or "-",
        record.actor,
        record.reason or "-",
    )


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with aligned columns, kubectl's three spaces apart."""
    listed = [HEADER, *rows]
    widths = [max(len(cells[i]) for cells in listed) for i in range(len(HEADER))]
    return [
        "   ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
        for cells in listed
    ]


def breaker_line(records: Iterable[Record], *, now: datetime, limit: int, window: timedelta) -> str:
    """Return what the breaker says: how many count, and when it closes again if it is open."""
    state = breaker.judge(records, now=now, limit=limit, window=window)
    counted = (
        f"{len(state.counted)} of {limit} rollbacks in the last {span(now, since=now - window)}"
    )
    if isinstance(state, breaker.Open):
        return f"breaker open: {counted}; it closes again at {state.until:%Y-%m-%dT%H:%M:%SZ}"
    return f"breaker closed: {counted}"
