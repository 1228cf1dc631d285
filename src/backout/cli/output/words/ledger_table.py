"""Records of the ledger as rows for people, and what the breaker makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.images.names import short
from backout.core.kubernetes import template
from backout.core.ledger import breaker, memory, records
from backout.core.ledger.records import Side, State
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from backout.core.ledger.records import Ledger, Lock, Record
    from backout.core.model import Revision

HEADER = ("WHEN", "FROM", "TO", "RESULT", "BY", "TRACE", "REASON")
_RESULTS = {
    State.INTENT: "left open",
    State.APPLIED: "left open",
    State.NOT_APPLIED: "not applied",
    State.SUCCEEDED: "rolled out",
    State.FAILED: "failed",
    State.UNDECIDED: "undecided",
}
"""What became of a rollback, where nothing is known of the service's health."""
TRACE = 8
"""Characters of a trace id; `backout report` takes them for the whole."""


def row(record: Record, now: datetime, history: Sequence[Revision] = ()) -> tuple[str, ...]:
    """Return a record's cells, in the order of `HEADER`; untrusted text.

    The `history` tells which numbers its revisions have now.
    """
    return (
        f"{span(now, since=record.intent_at)} ago",
        side(record.source, history),
        side(record.destination, history),
        result(record),
        record.actor,
        record.trace_id[:TRACE] or "-",
        record.reason or "-",
    )


def result(record: Record) -> str:
    """Return what became of a rollback, in words."""
    if record.state is State.SUCCEEDED and record.health == "Healthy":
        return "healthy"
    if record.state is State.FAILED and record.health == "Unhealthy":
        return "failed: unhealthy"
    return _RESULTS[record.state]


def side(one: Side, history: Sequence[Revision]) -> str:
    """Return a revision as it was called then, and its images: `1 app:v1 (now numbered 4)`.

    Revisions are told by their templates: numbers move with every rollback.
    """
    there = _now(one, history)
    images = " ".join(_images(one, there))
    named = f"{one.revision or '-'} {images}".rstrip()
    if there is not None and there.number != one.revision:
        return f"{named} (now numbered {there.number})"
    return f"{named} (gone)" if history and there is None else named


def as_json(record: Record, history: Sequence[Revision]) -> dict[str, Any]:
    """Return a record for a program, with the numbers that its revisions have now (null: gone)."""
    now = [_now(one, history) for one in (record.source, record.destination)]
    source, there = (one.number if one is not None else None for one in now)
    return {
        "op": record.op,
        "traceID": record.trace_id,
        "at": f"{record.intent_at:%Y-%m-%dT%H:%M:%SZ}",
        "from": record.source.revision,
        "fromNow": source,
        "to": record.destination.revision,
        "toNow": there,
        "state": str(record.state),
        "health": record.health,
        "actor": record.actor,
        "reason": record.reason,
    }


def revision_json(one: Revision) -> dict[str, Any]:
    """Return a revision as records know it: by the hash of its template, with its number now."""
    return {
        "revision": one.number,
        "hash": one.hash,
        "current": one.is_current,
        "images": template.images(one.template),
    }


def memory_lines(ledger: Ledger, now: datetime, history: Sequence[Revision] = ()) -> list[str]:
    """Return what is known of the revisions, one a line: the good first, then by newest number.

    The `history` tells their images, and which numbers they have now; untrusted text.
    """
    known = memory.known(ledger, now, history)
    newest_first = sorted(ledger.memory.items(), key=lambda item: item[1].revision, reverse=True)
    good_ones, bad_ones = [], []
    for template_hash, one in newest_first:
        good, bad = known.good.get(template_hash), known.bad.get(template_hash)
        named = _remembered(Side(revision=one.revision, hash=template_hash), history)
        if bad is not None:
            bad_ones.append(f"{named} is bad: {bad}")
        elif good is not None:
            told = f" ({one.told})" if one.told else ""
            good_ones.append(f"{named} is good: {good}{told}")
    return good_ones + bad_ones


def _remembered(one: Side, history: Sequence[Revision]) -> str:
    return f"revision {side(one, history)}" if one.revision else records.called(one.revision)


def way_on(ledger: Ledger, held: Lock, now: datetime, line: str) -> str:
    """Return when to go on with what is open, with the `line` that does; empty where nothing is."""
    if records.is_abandoned(ledger, held, now):
        return f"go on with what was left open: {line}"
    if records.left_open(ledger):
        return f"a rollback is under way; if its process has died, go on with it: {line}"
    return ""


def _now(one: Side, history: Sequence[Revision]) -> Revision | None:
    """Return the revision that has this template now, the current one before others."""
    found = [r for r in history if r.hash in one.hashes]
    return next((r for r in found if r.is_current), found[0] if found else None)


def _images(one: Side, there: Revision | None) -> list[str]:
    """Return its images as people call them; of a revision that is gone what the record kept."""
    kept = template.images(there.template) if there is not None else one.images
    named = (f"@{i}" if i.startswith("sha256:") else i for i in kept.values())
    return list(dict.fromkeys(map(short, named)))


def breaker_line(
    state: breaker.Closed | breaker.Open, *, now: datetime, limit: int, window: timedelta
) -> str:
    """Return how many rollbacks of the limit are used, and when the next is allowed."""
    used, last = len(state.counted), f"in the last {span(now, since=now - window)}"
    if isinstance(state, breaker.Open):
        until = f"{state.until:%Y-%m-%dT%H:%M:%SZ}"
        left = span(state.until, since=now)
        return (
            f"limit reached: {used} rollbacks {last}, {limit} allowed; "
            f"the next is allowed at {until}, in {left}"
        )
    return f"limit: {used} of {limit} rollbacks {last}"
