"""Keeps the ledger's text below its size, in any history: what matters least goes first.

Above 262,144 bytes of annotations a Lease cannot be written at all, and others keep theirs there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.ledger import form, memory
from backout.core.ledger.records import Ledger, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.mask import Mask

MOST = 64 * 1024
"""Bytes of the annotation."""
SHORT = 60
"""Bytes that a text of an old record keeps when room is needed."""


def fitting(ledger: Ledger, mask: Mask | None = None) -> str:
    """Return the annotation's text, of less than `MOST` bytes.

    Given up, in this order: the long texts of closed records, digests of the memory, closed
    records that do not count for the breaker, the memory, closed records; each the oldest first,
    of the memory a person's marks and the newest known good last.
    `mask` leaves secrets out. What is open, and what others wrote under keys of their own, is
    never given up.
    """
    text = form.written(ledger, mask)
    if len(text) < MOST:
        return text
    for smaller in _smaller(ledger):
        text = form.written(smaller, mask)
        if len(text) < MOST:
            break
    return text


def _smaller(ledger: Ledger) -> Iterator[Ledger]:
    for record in _closed(ledger):
        ledger = _with(ledger, record, _slim(record))
        yield ledger
    for known in memory.least_first(ledger.memory):
        slim = replace(ledger.memory[known], images={}, references={})
        ledger = replace(ledger, memory={**ledger.memory, known: slim})
        yield ledger
    for record in _closed(ledger):
        if record.state is State.NOT_APPLIED:
            ledger = _with(ledger, record, None)
            yield ledger
    for known in memory.least_first(ledger.memory):
        rest = {h: one for h, one in ledger.memory.items() if h != known}
        ledger = replace(ledger, memory=rest)
        yield ledger
    for record in _closed(ledger):
        ledger = _with(ledger, record, None)
        yield ledger


def _closed(ledger: Ledger) -> list[Record]:
    return [r for r in ledger.records if not r.is_open]


def _with(ledger: Ledger, record: Record, after: Record | None) -> Ledger:
    """Return the ledger with a record replaced, or without it."""
    changed = (after if r.op == record.op else r for r in ledger.records)
    return replace(ledger, records=tuple(r for r in changed if r is not None))


def _slim(record: Record) -> Record:
    """Return the record with what the breaker and a reader's first question need."""
    return replace(
        record,
        actor=_short(record.actor),
        reason=_short(record.reason),
        host=_short(record.host),
        verdict=_short(record.verdict),
        causes=(),
        owners=(),
        source=replace(record.source, images={}),
        destination=replace(record.destination, images={}),
    )


def _short(text: str) -> str:
    """Return the beginning of a text whose JSON takes at most `SHORT` bytes."""
    while len(json.dumps(text)) > SHORT + len('""'):
        text = text[: max(0, min(SHORT, len(text) - 1))]
    return text
