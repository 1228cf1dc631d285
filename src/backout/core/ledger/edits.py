"""Changes of one record: record + the server's time -> record. Made by compare-and-swap elsewhere.

An edit may be made twice, where the answer to the first was lost; the second changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from backout.core.kubernetes import restarts, template
from backout.core.ledger.records import Record, Side, State, moved

if TYPE_CHECKING:
    from backout.core.model import Object

Edit: TypeAlias = Callable[[Record, datetime], Record]
NO_IMAGES: Mapping[str, str] = MappingProxyType({})


def unchanged(record: Record, _now: datetime) -> Record:
    """Leave the record as it is: only the lock is let go."""
    return record


def applied(record: Record, now: datetime) -> Record:
    """Tell that our PATCH landed."""
    return moved(record, State.APPLIED, patched_at=now) if record.state is State.INTENT else record


def stored(workload: Object | None) -> Edit:
    """Return the edit that tells that our PATCH landed, and what the API server made of it.

    `workload` is its answer; None where that was lost.
    """

    def edit(record: Record, now: datetime) -> Record:
        record = applied(record, now)
        if workload is None:
            return record
        found = workload["spec"]["template"]
        return replace(record, destination=known_as(record.destination, found))

    return edit


def side(
    revision: int,
    wanted: Object,
    *,
    images: Mapping[str, str] = NO_IMAGES,
    generation: int | None = None,
    fingerprint: str = "",
) -> Side:
    """Return one end of a rollback: a revision's number, and its template by its hashes."""
    return Side(
        revision=revision,
        hash=template.digest(wanted),
        images=images,
        generation=generation,
        steady=(restarts.digest(wanted),),
        fingerprint=fingerprint,
    )


def may_become(there: Side, found: Object | None) -> Side:
    """Return the side with a template that the API server's dry run made of it, if it was asked."""
    if found is None:
        return there
    steady = dict.fromkeys((*there.steady, restarts.digest(found)))
    return replace(there, steady=tuple(steady))


def known_as(there: Side, found: Object) -> Side:
    """Return the side with the template that the API server is known to keep."""
    return replace(may_become(there, found), stored=template.digest(found))


def replaced(name: str, uid: str) -> Edit:
    """Return the edit that tells that a Pod is about to be deleted because it holds it up."""

    def edit(record: Record, _now: datetime) -> Record:
        return replace(record, replaces=True, replaced={**record.replaced, name: uid})

    return edit


def healed(record: Record, _now: datetime) -> Record:
    """Tell that the template's fields are handed back: what was needed for it is dropped."""
    return replace(record, owners=(), is_healed=True)


def not_to_heal(record: Record, _now: datetime) -> Record:
    """Drop what was kept to hand fields back: the template is no longer ours."""
    return replace(record, owners=())


def both(first: Edit, second: Edit) -> Edit:
    """Return the edit that makes two, one after the other."""

    def edit(record: Record, now: datetime) -> Record:
        return second(first(record, now), now)

    return edit


def closed(state: State, images: Mapping[str, str] = NO_IMAGES, **facts: Any) -> Edit:
    """Return the edit that closes a record at the server's time.

    `images` are the digests that ran in the end. A rollout that was judged was applied, also where
    that could not be written at its time.
    """

    def edit(record: Record, now: datetime) -> Record:
        there = record.destination
        record = replace(record, destination=replace(there, images={**there.images, **images}))
        if state in {State.SUCCEEDED, State.FAILED}:
            record = applied(record, now)
        return moved(record, state, closed_at=now, **facts)

    return edit


def undecided(verdict: str) -> Edit:
    """Return the edit that closes a record of a PATCH that landed and that nobody judged."""

    def edit(record: Record, now: datetime) -> Record:
        return closed(State.UNDECIDED, verdict=verdict)(applied(record, now), now)

    return edit
