"""The history as rows: what ran when, what is known of it, and where `undo` would go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.history import barriers, revisions, served
from backout.core.history.choice import Choice, choose, is_twin
from backout.core.images.names import ran
from backout.core.kubernetes import objects, template
from backout.core.ledger.records import Ledger, lock
from backout.core.plan.earlier import in_the_way
from backout.core.preflight.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from backout.core.kinds.target import Target
    from backout.core.ledger.records import Record
    from backout.core.model import Revision
    from backout.core.preflight.snapshot import Snapshot


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One revision, and what people choose it by.

    `current_from` and `current_for` are None where they cannot be told. `images` maps containers to
    what the template names, `digests` to what is known to have run. `good` and `bad` are the
    ledger's words, empty where it has none. `is_restart`: it runs just what runs now.
    """

    revision: Revision
    age: timedelta | None
    current_from: datetime | None
    current_for: timedelta | None
    images: Mapping[str, str]
    digests: Mapping[str, str]
    good: str
    bad: str
    barrier: str
    is_restart: bool
    is_target: bool


class HistoryTable(Struct, frozen=True, kw_only=True):
    """A workload's history, newest first.

    `choice` is what `undo` would choose, None where it would not go anywhere; `why` says why, or
    why not. `rollbacks` are the ledger's records, newest first. `kubectl` is the number that plain
    `kubectl rollout undo` goes to. `unreadable` says in words what could not be read.
    """

    target: Target
    now: datetime
    rows: tuple[HistoryRow, ...]
    choice: Choice | None
    why: str
    kubectl: int | None
    rollbacks: tuple[Record, ...]
    is_observed: bool
    unreadable: Mapping[str, str]


def listed(snapshot: Snapshot) -> HistoryTable:
    """Return the rows of what was read; nothing of it needs more than the history itself."""
    history = snapshot.revisions
    choice, why = _choice(snapshot)
    ledger = snapshot.ledger
    records = ledger.records if isinstance(ledger, Ledger) else ()
    unread = {str(need): words for need, words in snapshot.unreadable.items()}
    if not isinstance(ledger, Ledger):
        unread["ledger"] = ledger.why
    target = choice.revision if choice is not None else None
    return HistoryTable(
        target=snapshot.target,
        now=snapshot.now,
        rows=tuple(_row(one, history, snapshot, is_target=one is target) for one in history),
        choice=choice,
        why=why,
        kubectl=revisions.kubectl_choice(history),
        rollbacks=tuple(reversed(records)),
        is_observed=snapshot.is_observed,
        unreadable=unread,
    )


def _choice(snapshot: Snapshot) -> tuple[Choice | None, str]:
    """Return where a plain `undo` would go and why; None and why it would refuse."""
    if not lock(snapshot.lease).holder and in_the_way(snapshot, Request()) is None:
        wanted = snapshot.workload["spec"]["template"]
        found = choose(snapshot.revisions, snapshot.known, wanted=wanted)
        if isinstance(found, Choice):
            return found, found.why
    from backout.core.plan.refused import chosen  # noqa: PLC0415 (all checks, for a refusal alone)

    return chosen(snapshot)


def _row(
    one: Revision, history: Sequence[Revision], snapshot: Snapshot, *, is_target: bool
) -> HistoryRow:
    since = None if one.earlier else one.created
    known = snapshot.known
    wanted = snapshot.workload["spec"]["template"]
    return HistoryRow(
        revision=one,
        age=snapshot.now - one.created if one.created is not None else None,
        current_from=since,
        current_for=_span(one, history, snapshot.now),
        images=template.images(one.template),
        digests=_digests(one, snapshot),
        good=known.good.get(one.hash, ""),
        bad=known.bad.get(one.hash, ""),
        barrier=barriers.value(one.template),
        is_restart=not one.is_current and is_twin(one, wanted),
        is_target=is_target,
    )


def _span(one: Revision, history: Sequence[Revision], now: datetime) -> timedelta | None:
    """Return for how long it was the current one; of the current one, for how long it has been."""
    if not one.is_current:
        return served.current_for(one, history)
    return now - one.created if one.created is not None and not one.earlier else None


def _digests(one: Revision, snapshot: Snapshot) -> Mapping[str, str]:
    """Return the digests that its Ready Pods run; without any those that are remembered."""
    running = ran(p for p in one.pods if objects.is_ready(p))
    ledger = snapshot.ledger
    if running or not isinstance(ledger, Ledger) or one.hash not in ledger.memory:
        return running
    return ledger.memory[one.hash].images
