"""The ledger's schema and its state machine (shared protocol: docs/decisions/0003-ledger.md).

One Lease a workload holds both the lock (its spec) and the ledger (JSON in one annotation), so one
compare-and-swap changes both. Times are the API server's.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.heal.hand_back import Owned
    from backout.core.kinds.target import Target
    from backout.core.model import Object

KEPT = 50
"""The newest records that are kept; those that count in a breaker window are never pruned."""


OURS: Mapping[str, str] = MappingProxyType({"app.kubernetes.io/managed-by": "backout"})
"""The label that each Lease of ours has."""
WORKLOAD = "backout.dev/workload"
"""The annotation that says whose ledger it is: the Lease's name may be cut."""


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


def called(number: int) -> str:
    """Return what a revision is called; 0 stands for a template that had no number yet."""
    return f"revision {number}" if number else "a template without a revision"


class Side(Struct, frozen=True, kw_only=True):
    """One end of a rollback: a revision by number and template hash, with its images.

    `revision` is 0 for a template that had no number yet.
    `images` maps a container to the digest of what ran, or to its template's image while no Pod
    has told.
    `generation` is the workload's before the PATCH (only on the `from` side): recovery compares it.
    `stored` is the hash of the template that the API server made of ours (a mutating webhook may
    have changed it), empty until it has said so. `steady` are digests without the annotations that
    restart Pods, of every template that is known to be this one. `fingerprint` is what knows the
    revision again where its hash has changed on its own (`again.py`), empty where it is not known.
    """

    revision: int
    hash: str
    images: Mapping[str, str] = field(default_factory=dict)
    generation: int | None = None
    stored: str = ""
    steady: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def hashes(self) -> tuple[str, ...]:
        """Its template's hashes: as we sent it, and as the API server keeps it."""
        return tuple(dict.fromkeys(h for h in (self.hash, self.stored) if h))

    def is_same(self, other: Side) -> bool:
        """Tell whether both are one template, but for annotations that only restart Pods."""
        return bool(
            set(self.hashes) & set(other.hashes) or set(self.steady).intersection(other.steady)
        )

    @property
    def digests(self) -> Mapping[str, str]:
        """The images that are known by their bytes: a container's digest.

        With the repository before it, `NAME@sha256:…`, where it is that of another one than the
        template's (`images.names.ran`).
        """
        return {c: i for c, i in self.images.items() if i.rpartition("@")[2].startswith("sha256:")}


class Record(Struct, frozen=True, kw_only=True):
    """One rollback: who, why, from where, to where, and what became of it.

    `accepted` are the ids of findings that were gone past; `uid` is the workload's; `condemns`
    tells whether its failure is the fault of its target's template; `replaces`: Pods that hold it
    up are deleted; `replaced` are those that were, or were about to be, names with their UIDs;
    `owners` is what is needed to hand the template's fields back to who applies them, kept until
    that is done (`is_healed`);
    `rest` are keys of the same schema that are not ours to lose.
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
    condemns: bool = False
    replaces: bool = False
    replaced: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[Owned, ...] = ()
    is_healed: bool = False
    closed_at: datetime | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether it is not yet known what became of it."""
        return self.state in OPEN

    @property
    def counts(self) -> bool:
        """Tell whether it counts for the breaker: what is open counts, so a crash does."""
        return self.state is not State.NOT_APPLIED


class Blame(IntEnum):
    """Where the word that a template is bad comes from; the higher, the less lifts it.

    FAILED: its rollout failed for good by its own fault: a recorded health lifts it, or ten minutes
    of Ready Pods later on. LEFT: it was rolled back from: only a recorded health lifts that, for
    what serves errors is Ready, too. MARKED: a person said so, and only a person takes it back.
    """

    FAILED = 1
    LEFT = 2
    MARKED = 3


class Bad(Struct, frozen=True, kw_only=True):
    """Why and since when a template is known to be bad, and by whose word."""

    at: datetime
    why: str
    blame: Blame = Blame.LEFT


class Remembered(Struct, frozen=True, kw_only=True):
    """What is known of one template: when it was healthy, with which bytes, and whether it is bad.

    `revision` is the number it had last, `images` maps a container to the digest of the image that
    ran, `references` is what it named then, `told` who said it was healthy where no rollback did.
    `is_marked`: the word that stands is a person's. `fingerprint` knows it again where its hash has
    changed on its own (`again.py`), empty where it is not known.
    """

    revision: int
    first_healthy_at: datetime | None = None
    last_healthy_at: datetime | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, Any] = field(default_factory=dict)
    bad: Bad | None = None
    told: str = ""
    is_marked: bool = False
    fingerprint: str = ""
    rest: Mapping[str, Any] = field(default_factory=dict)


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds the lock, to be told to others: the operation, and the process behind it.

    `namespace` is the process's PID namespace, `started` when it began, both as the kernel tells
    them, empty where it does not: another process may have its pid.
    """

    op: str
    actor: str
    host: str
    boot_id: str
    pid: int
    namespace: str = ""
    started: str = ""


class Ledger(Struct, frozen=True, kw_only=True):
    """The records, oldest first, and the memory by template hash (ours, SHA-256 hex).

    `rest` are keys of the same schema that are not ours to lose.
    """

    records: tuple[Record, ...] = ()
    memory: Mapping[str, Remembered] = field(default_factory=dict)
    holder: Holder | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)


class UnreadableLedger(Struct, frozen=True, kw_only=True):
    """The annotation cannot be understood: refuse, never overwrite."""

    why: str


class Lock(Struct, frozen=True, kw_only=True):
    """Who holds the Lease. Empty `holder`: nobody. `epoch` counts the changes of hands."""

    holder: str
    epoch: int
    acquired: datetime | None
    renewed: datetime | None
    duration: timedelta

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the holder has not renewed for a whole lease duration, by server times."""
        return self.renewed is None or now - self.renewed > self.duration

    def is_held(self, now: datetime) -> bool:
        """Tell whether somebody holds it, and has not been silent for a whole lease duration."""
        return bool(self.holder) and not self.is_expired(now)


def lease_name(target: Target) -> str:
    """Return the Lease's name: readable, and unique by a hash over group, kind and name."""
    kind = target.kind.resource
    digest = hashlib.sha256(f"{kind.group}/{kind.name}/{target.name}".encode()).hexdigest()[:10]
    return f"backout-{target.stem}-{digest}"


def moved(record: Record, state: State, **changes: Any) -> Record:
    """Return the record in its next state; raise ValueError where the protocol has no such step."""
    if state not in _NEXT.get(record.state, set()):
        raise ValueError(f"a record never goes from {record.state} to {state}")
    return replace(record, state=state, **changes)


def by_op(ledger: Ledger, op: str) -> Record | None:
    """Return the record of this operation, or None."""
    return next((r for r in ledger.records if r.op == op), None)


def appended(ledger: Ledger, record: Record, *, keep_after: datetime) -> Ledger:
    """Return the ledger with one more record, pruned to the newest `KEPT`.

    What is open is never pruned, nor what has counted for the breaker since `keep_after`. The
    fields that an earlier one took and did not hand back are the new one's to hand back.
    """
    records = [*(replace(r, owners=()) for r in ledger.records), record]
    old = (r for r in records[:-KEPT] if r.is_open or (r.counts and r.intent_at >= keep_after))
    return replace(ledger, records=(*old, *records[-KEPT:]))


def unhealed(ledger: Ledger) -> Record | None:
    """Return the newest record, where its rollback has ended and fields are not handed back yet."""
    newest = ledger.records[-1] if ledger.records else None
    return newest if newest is not None and newest.owners and not newest.is_open else None


def left_open(ledger: Ledger) -> tuple[Record, ...]:
    """Return the records of which it is not known what became of them, oldest first."""
    return tuple(r for r in ledger.records if r.is_open)


def is_abandoned(ledger: Ledger, held: Lock, now: datetime) -> bool:
    """Tell whether a rollback was left open, the newest or one before, and nobody is at it.

    Whoever was killed holds the lock until it expires. `now` is the server's time.
    """
    return bool(left_open(ledger)) and not held.is_held(now)


def lock(lease: Object | None) -> Lock:
    """Return who holds a Lease; an absent one is free."""

    def said(key: str, default: Any = None) -> Any:
        return objects.dig(lease, "spec", key, default=default)

    return Lock(
        holder=str(said("holderIdentity", "")),
        epoch=int(said("leaseTransitions", 0)),
        acquired=objects.timestamp(said("acquireTime")),
        renewed=objects.timestamp(said("renewTime")),
        duration=timedelta(seconds=int(said("leaseDurationSeconds", 0))),
    )


def freed(lease: Object | None) -> Object | None:
    """Return a Lease as if nobody held it: whoever does may be taken over from."""
    if lease is None:
        return None
    return {**lease, "spec": {**(lease.get("spec") or {}), "holderIdentity": ""}}
