"""Once back, not twice: ledger + workload -> whether a rollback has already led to where it is.

However a run ended, the same command again goes on with its rollback, or says that it is done; a
step further back is only taken to a revision that somebody named (docs/decisions/0003-ledger.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from backout.core.history.patch import MARKER
from backout.core.kubernetes import objects, restarts, template
from backout.core.ledger.records import Ledger, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from backout.core.kinds.kind import Kind
    from backout.core.model import Object, Revision


class Elsewhere(Struct, frozen=True, kw_only=True):
    """No rollback has led here: an undo chooses as if there had been none."""


class LeftOpen(Struct, frozen=True, kw_only=True):
    """A rollback that led here was not seen to its end."""

    record: Record


class Back(Struct, frozen=True, kw_only=True):
    """A rollback that led here has ended. `is_recent`: within the breaker's window."""

    record: Record
    is_recent: bool


Standing = Elsewhere | LeftOpen | Back


def standing(
    ledger: Ledger, workload: Object, kind: Kind, *, now: datetime, window: timedelta
) -> Standing:
    """Return what the newest rollback that landed has to do with the template that is asked for."""
    for record in reversed(ledger.records):
        if record.state is State.NOT_APPLIED:
            continue
        is_here = leads_to(record, workload, kind)
        if record.is_open:
            if is_here:
                return LeftOpen(record=record)
            if record.state is State.APPLIED:
                break
            continue  # an intent whose PATCH has not landed so far
        if is_here:
            return Back(record=record, is_recent=now - record.intent_at < window)
        if record.patched_at is not None:
            break
    return Elsewhere()


def in_the_way(
    ledger: Ledger,
    workload: Object,
    kind: Kind,
    history: Iterable[Revision],
    *,
    number: int | None,
    now: datetime,
    window: timedelta,
) -> LeftOpen | Back | None:
    """Return the rollback that stands against another, None where there is none.

    `number` is the revision that the user named. One that has ended stands in the way for as long
    as the breaker looks back, and none does for whoever names another revision.
    """
    there = tuple(history)
    current = next((r.number for r in there if r.is_current), None)
    found = standing(ledger, workload, kind, now=now, window=window)
    match found:
        case Elsewhere() | Back(is_recent=False):
            return None
        case LeftOpen(record=record) | Back(record=record):
            existing = {r.number: r.hash for r in there}
            is_it = is_asked_for(record, number, current=current, existing=existing)
            return found if is_it else None
        case _ as unreachable:
            assert_never(unreachable)


def leads_to(record: Record, workload: Object, kind: Kind) -> bool:
    """Tell whether the template that a workload asks for is the one that a record went to.

    Annotations that only restart Pods, or carry checksums, make no difference. Where it is not yet
    known what the API server made of our PATCH, its marker tells, while nobody else has written:
    our PATCH moves the generation once, and so may an annotation of the controller's own. (Of a
    kind whose history is not marked kubectl's undo leaves our marker, and moves it once more.)
    """
    there, now = record.destination, workload["spec"]["template"]
    if template.digest(now) in there.hashes or restarts.digest(now) in there.steady:
        return True
    before = record.source.generation
    if there.stored or before is None or record.uid != objects.uid(workload):
        return False
    has_marker = objects.annotations_of(workload).get(MARKER) == record.op
    own_steps = 2 if kind.marks_history else 1
    return has_marker and objects.generation(workload) - before <= own_steps


def is_asked_for(
    record: Record, number: int | None, *, current: int | None, existing: Mapping[int, str]
) -> bool:
    """Tell whether what is asked for is where a record went: by its old number or by its new one.

    `number` None: nothing was named. `existing` are the templates' hashes by number: an old number
    that another template has by now is that one's. The same template still has it where a mutating
    webhook made a new revision of what was sent.
    """
    if number is None or number == current:
        return True
    there = record.destination
    return number == there.revision and existing.get(number, there.hash) in there.hashes
