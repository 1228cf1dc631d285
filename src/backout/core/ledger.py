"""The ledger's schema and its state machine (shared protocol: docs/decisions/0003-ledger.md).

One Lease a workload holds both the lock (its spec) and the ledger (JSON in one annotation), so one
compare-and-swap changes both. Times are the API server's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from backout.core import objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.model import Object, Target

KEPT = 50
"""The newest records that are kept; younger ones than a breaker window are never pruned."""


class State(StrEnum):
    """Where a rollback stands. INTENT is written before the PATCH, a closed state after it."""

    INTENT = "INTENT"
    APPLIED = "APPLIED"
    NOT_APPLIED = "NOT_APPLIED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"


_NEXT = {
    State.INTENT: {State.APPLIED, State.NOT_APPLIED, State.UNDECIDED},
    State.APPLIED: {State.SUCCEEDED, State.FAILED, State.UNDECIDED},
}
OPEN = frozenset(_NEXT)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One end of a rollback: a revision by number and template hash, with its images.

    `generation` is the workload's before the PATCH (only on the `from` side): recovery compares it.
    """

    revision: int
    hash: str
    images: Mapping[str, str] = field(default_factory=dict)
    generation: int | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """One rollback: who, why, from where, to where, and what became of it.

    `accepted` are the ids of findings that were gone past; `uid` is the workload's; `rest` are keys
    of the same schema that are not ours to lose.
    """

    op: str
    actor: str
    reason: str
    trace_id: str
    host: str
    boot_id: str
    pid: int
    uid: str
    source: Side
    destination: Side
    state: State
    intent_at: datetime
    deadline: datetime
    accepted: tuple[str, ...] = ()
    patched_at: datetime | None = None
    verdict: str = ""
    health: str = ""
    causes: tuple[str, ...] = ()
    closed_at: datetime | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether it is not yet known what became of it."""
        return self.state in OPEN


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The records, oldest first. `rest` are keys of the same schema that are not ours to lose."""

    records: tuple[Record, ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UnreadableLedger:
    """The annotation cannot be understood: refuse, never overwrite."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Who holds the Lease. Empty `holder`: nobody. `epoch` counts the changes of hands."""

    holder: str
    epoch: int
    acquired: datetime | None
    renewed: datetime | None
    duration: timedelta

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the holder has not renewed for a whole lease duration, by server times."""
        return self.renewed is None or now - self.renewed > self.duration


def lease_name(target: Target, *, group: str = "apps") -> str:
    """Return the Lease's name: readable, and unique by a hash over group, kind and name."""
    digest = hashlib.sha256(f"{group}/{target.kind}/{target.name}".encode()).hexdigest()[:10]
    return f"backout-{target.name[:40].rstrip('.-')}-{digest}"


def moved(record: Record, state: State, **changes: Any) -> Record:
    """Return the record in its next state; raise ValueError where the protocol has no such step."""
    if state not in _NEXT.get(record.state, set()):
        raise ValueError(f"a record never goes from {record.state} to {state}")
    return replace(record, state=state, **changes)


def by_op(ledger: Ledger, op: str) -> Record | None:
    """Return the record of this operation, or None."""
    return next((r for r in ledger.records if r.op == op), None)


def appended(ledger: Ledger, record: Record, *, keep_after: datetime) -> Ledger:
    """Return the ledger with one more record, pruned to the newest `KEPT` and all since then."""
    records = [*ledger.records, record]
    old = records[:-KEPT]
    return replace(
        ledger,
        records=(*(r for r in old if r.is_open or r.intent_at >= keep_after), *records[-KEPT:]),
    )


def with_record(ledger: Ledger, record: Record) -> Ledger:
    """Return the ledger with the record of the same operation replaced."""
    return replace(
        ledger, records=tuple(record if r.op == record.op else r for r in ledger.records)
    )


def known_bad(ledger: Ledger) -> frozenset[str]:
    """Return the template hashes known to be bad: rolled back from, or their rollout failed.

    The newest word on a hash counts: a later rollback to it that ended healthy clears it.
    """
    bad: dict[str, bool] = {}
    for record in ledger.records:
        if record.state in {State.APPLIED, State.SUCCEEDED, State.FAILED, State.UNDECIDED}:
            bad[record.source.hash] = True
        if record.state is State.FAILED:
            bad[record.destination.hash] = True
        if record.state is State.SUCCEEDED:
            bad[record.destination.hash] = False
    return frozenset(h for h, is_bad in bad.items() if is_bad)


def lock(lease: Object | None) -> Lock:
    """Return who holds a Lease; an absent one is free."""
    spec = objects.dig(lease, "spec", default={})
    return Lock(
        holder=str(spec.get("holderIdentity") or ""),
        epoch=int(spec.get("leaseTransitions") or 0),
        acquired=objects.timestamp(spec.get("acquireTime")),
        renewed=objects.timestamp(spec.get("renewTime")),
        duration=timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0)),
    )
