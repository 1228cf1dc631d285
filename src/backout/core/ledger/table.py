"""Records of the ledger as rows for people, and what the breaker makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.ledger import breaker, memory
from backout.core.spans import span

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from backout.core.ledger.records import Ledger, Record

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


def memory_lines(ledger: Ledger, now: datetime) -> list[str]:
    """Return what is known of the revisions, one a line, newest number first; untrusted text."""
    known = memory.known(ledger, now)
    newest_first = sorted(ledger.memory.items(), key=lambda item: item[1].revision, reverse=True)
    lines = []
    for template_hash, one in newest_first:
        good, bad = known.good.get(template_hash), known.bad.get(template_hash)
        if bad is not None:
            lines.append(f"known bad: revision {one.revision}: {bad}")
        elif good is not None:
            told = f" ({one.told})" if one.told else ""
            lines.append(f"known good: revision {one.revision}: {good}{told}")
    return lines


def breaker_line(
    state: breaker.Closed | breaker.Open, *, now: datetime, limit: int, window: timedelta
) -> str:
    """Return what the breaker says: which records count, and when it closes again if it is open."""
    counted = (
        f"{len(state.counted)} of {limit} rollbacks in the last {span(now, since=now - window)}"
    )
    if isinstance(state, breaker.Open):
        return f"breaker open: {counted}; it closes again at {state.until:%Y-%m-%dT%H:%M:%SZ}"
    return f"breaker closed: {counted}"
