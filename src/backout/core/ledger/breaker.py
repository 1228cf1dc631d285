"""records + now -> Closed | Open(until): no more than so many rollbacks of a workload in a window.

A rollback that did not help twice will not help the third time; a person must look.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.ledger.records import Side, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from backout.core.ledger.records import Record


class Closed(Struct, frozen=True, kw_only=True):
    """One more rollback is allowed; `counted` records are in the window.

    `others` are the rollbacks in the window that were made without us, by their times.
    """

    counted: tuple[Record, ...]
    others: tuple[datetime, ...] = ()


class Open(Struct, frozen=True, kw_only=True):
    """No further rollback before `until`, because of the `counted` records."""

    until: datetime
    counted: tuple[Record, ...]
    others: tuple[datetime, ...] = ()


def judge(
    records: Iterable[Record],
    *,
    now: datetime,
    limit: int,
    window: timedelta,
    others: Iterable[datetime] = (),
) -> Closed | Open:
    """Return whether one more rollback is allowed.

    Every record in the window counts that is not NOT_APPLIED, open ones too: a crash counts. A
    time in the future counts as well, so that a clock set back opens no gate. A way back does not
    count; as each record has one at most, no more than twice the limit are ever applied.
    """
    counted = tuple(r for r in _outward(records) if now - r.intent_at < window)
    foreign = tuple(sorted(t for t in others if now - t < window))
    times = sorted([*(r.intent_at for r in counted), *foreign])
    if len(times) < limit:
        return Closed(counted=counted, others=foreign)
    frees_a_place = times[len(times) - limit] if limit > 0 else times[-1] if times else now
    return Open(until=_later(frees_a_place, window), counted=counted, others=foreign)


def is_way_back(records: Iterable[Record], *, source: Side, to: Side) -> bool:
    """Tell whether going there takes back the newest rollback, which failed or was never judged.

    A way back has none itself: it would be a circle.
    """
    landed = sorted((r for r in records if r.counts), key=_began)
    newest = landed[-1] if landed else None
    return newest is not None and newest in _outward(landed) and _returns(newest, source, to)


def _outward(records: Iterable[Record]) -> list[Record]:
    """Return the records that count, oldest first: none that only undid the one before it."""
    kept: list[Record] = []
    before: Record | None = None
    for record in sorted((r for r in records if r.counts), key=_began):
        is_back = before is not None and _returns(before, record.source, record.destination)
        if not is_back:
            kept.append(record)
        before = None if is_back else record
    return kept


def _returns(before: Record, source: Side, to: Side) -> bool:
    """Tell whether going from `source` to `to` takes back a rollback that has not succeeded."""
    is_it = source.is_same(before.destination) and to.is_same(before.source)
    return before.state is not State.SUCCEEDED and is_it


def _began(record: Record) -> datetime:
    return record.intent_at


def _later(moment: datetime, span: timedelta) -> datetime:
    """Return the moment a span later; the end of time where there is none."""
    try:
        return moment + span
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)
