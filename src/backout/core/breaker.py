"""records + now -> Closed | Open(until): no more than so many rollbacks of a workload in a window.

A rollback that did not help twice will not help the third time; a person must look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backout.core.ledger import Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Closed:
    """One more rollback is allowed; `counted` records are in the window."""

    counted: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Open:
    """No further rollback before `until`, because of the `counted` records."""

    until: datetime
    counted: tuple[Record, ...]


def judge(
    records: Iterable[Record], *, now: datetime, limit: int, window: timedelta
) -> Closed | Open:
    """Return whether one more rollback is allowed.

    Every record in the window counts that is not NOT_APPLIED, open ones too: a crash counts. A
    time in the future counts as well, so that a clock set back opens no gate.
    """
    counted = tuple(
        sorted(
            (r for r in records if r.state is not State.NOT_APPLIED and now - r.intent_at < window),
            key=lambda r: r.intent_at,
        )
    )
    if len(counted) < limit:
        return Closed(counted=counted)
    frees_a_place = counted[len(counted) - limit] if limit > 0 else counted[-1] if counted else None
    return Open(
        until=_later(frees_a_place.intent_at if frees_a_place else now, window), counted=counted
    )


def _later(moment: datetime, span: timedelta) -> datetime:
    """Return the moment a span later; the end of time where there is none."""
    try:
        return moment + span
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)
