"""Lock and ledger in one Lease: whoever changes one does so by compare-and-swap of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from backout.core.errors import BackoutError, Conflict, NotFound
from backout.core.kubernetes import objects
from backout.core.ledger import form, memory, records, size
from backout.core.ledger.records import Holder, Ledger, Lock, Record, UnreadableLedger
from backout.core.value import dataclass
from backout.kube import paths
from backout.kube.errors import Unclear
from backout.steps.concurrency import unbroken

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.steps.run import Run

Edit: TypeAlias = Callable[[Record, datetime], Record]
NO_IMAGES: Mapping[str, str] = MappingProxyType({})
FRESH = 5.0
"""Seconds for which the server's last `Date` will do; a local ledger asks it for nothing."""
ATTEMPTS = 6
"""How often a lost compare-and-swap is made again: each time somebody else has made progress."""


class LockLost(BackoutError):  # noqa: N818 (it reads as what happened)
    """The Lease is no longer ours: taken over, deleted or made unreadable."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A Lease as just read (None: there is none), and the server's time then."""

    lease: Object | None
    now: datetime

    @property
    def lock(self) -> Lock:
        """Who holds it."""
        return records.lock(self.lease)

    @property
    def version(self) -> str:
        """Its resourceVersion; empty where there is none."""
        return objects.resource_version(self.lease or {})

    @property
    def ledger(self) -> Ledger:
        """Its ledger; raises LockLost where it cannot be read."""
        found = form.read(self.lease)
        if isinstance(found, UnreadableLedger):
            raise LockLost(
                f"the ledger cannot be read: {found.why}",
                remedy="look at the Lease's annotation backout.dev/ledger",
            )
        return found


async def see(run: Run) -> Seen:
    """Return the Lease as it is now, with the server's time."""
    lease = await run.ledger.read()
    last = run.client.server_date
    if last is None or asyncio.get_running_loop().time() - last.monotonic > FRESH:
        await run.client.get(paths.version())
    return Seen(lease=lease, now=run.server_now())


async def put(run: Run, seen: Seen, content: Ledger, *, holds: bool, takes: bool = False) -> bool:
    """Write the Lease as its holder, or let it go; return False where somebody wrote since.

    `takes`: the lock changes hands, so the epoch grows. An unclear answer counts as a lost race:
    the caller reads again and finds out whose content stands there. Raises Forbidden with the Role.
    """
    content = replace(content, holder=_myself(run) if holds else None)
    return await _swapped(run, seen, content, _spec(run, seen, holds=holds, takes=takes))


async def put_beside(run: Run, seen: Seen, content: Ledger) -> bool:
    """Write the ledger and leave the lock as it is, whoever holds it; False if somebody wrote."""
    spec = objects.dig(seen.lease, "spec", default={"holderIdentity": ""})
    return await _swapped(run, seen, content, dict(spec))


async def _swapped(run: Run, seen: Seen, content: Ledger, spec: dict[str, Any]) -> bool:
    write = run.ledger.write(seen.lease, _body(run, seen, content, spec))
    try:
        await _sent(run, asyncio.ensure_future(write))
    except (Conflict, NotFound, Unclear):
        return False
    return True


async def _sent(run: Run, write: asyncio.Future[None]) -> None:
    """Wait for a write's answer, also when interrupted; say so where none came."""
    try:
        await unbroken(write, patience=run.limits.wind_down / 2)
    except asyncio.CancelledError:
        if write.cancelled():
            run.say(
                "note",
                "a write of the Lease got no answer: the lock may be held until it expires, within "
                f"{run.limits.lease:g} s",
            )
        raise


@dataclass(kw_only=True)
class Held:
    """Our hold on the lock, and the operation whose record we may change.

    `epoch` is the one we took it at: a successor's is higher. `confirmed` is the event loop's time
    at which the last write left that is known to have arrived.
    """

    epoch: int
    record: str
    confirmed: float

    def check(self, run: Run, seen: Seen) -> None:
        """Raise LockLost where the Lease as seen is no longer ours."""
        lock = seen.lock
        if seen.lease is None:
            raise LockLost("the Lease was deleted under this run; it is not made again")
        if lock.holder != run.op or lock.epoch != self.epoch:
            raise LockLost(f"the lock was taken over by {lock.holder or 'nobody'}")

    def check_fresh(self, run: Run) -> None:
        """Raise LockLost where no sign of life has got through for two thirds of the duration.

        Others may take the lock soon: whoever stops acting before needs no luck.
        """
        age = asyncio.get_running_loop().time() - self.confirmed
        if age > run.limits.lease * 2 / 3:
            raise LockLost(
                f"the lock was not confirmed for {age:.0f} s, so it is no longer acted upon",
                remedy="run the same command again",
            )


async def change(
    run: Run,
    held: Held,
    edit: Edit,
    *,
    release: bool = False,
    references: Mapping[str, str] | None = None,
) -> None:
    """Change our own record by compare-and-swap; with `release` let the lock go in the same write.

    `edit` gets the record as it stands and the server's time; `references` are the versions to
    remember where it tells of health. Where our own answer was lost, what was written is recognised
    and not written again. Raises LockLost.
    """
    for _ in range(ATTEMPTS):
        seen = await see(run)
        before = records.by_op(seen.ledger, held.record)
        if release and _is_released(held, seen):
            return
        held.check(run, seen)
        if before is None and not release:
            raise LockLost("the record of this run is gone from the ledger")
        content = seen.ledger
        if before is not None and before.is_open:
            content = memory.with_record(content, edit(before, seen.now), references)
        sent_at = asyncio.get_running_loop().time()
        if await put(run, seen, content, holds=not release):
            held.confirmed = sent_at
            return
    raise LockLost(f"the Lease could not be written in {ATTEMPTS} attempts")


def _is_released(held: Held, seen: Seen) -> bool:
    """Tell whether our own release stands there: any other hand would have raised the epoch."""
    lock = seen.lock
    return seen.lease is not None and lock.holder == "" and lock.epoch == held.epoch


async def renew(run: Run, held: Held) -> None:
    """Tell the others that we live; where that does not get through, the next renewal may.

    Raises LockLost where the lock is no longer ours.
    """
    for _ in range(ATTEMPTS):
        seen = await see(run)
        held.check(run, seen)
        sent_at = asyncio.get_running_loop().time()
        if await put(run, seen, seen.ledger, holds=True):
            held.confirmed = sent_at
            return


def closed(state: records.State, images: Mapping[str, str] = NO_IMAGES, **facts: Any) -> Edit:
    """Return the edit that closes a record at the server's time.

    `images` are the digests that ran in the end. A rollout that was judged was applied, also where
    that could not be written at its time.
    """

    def edit(record: Record, now: datetime) -> Record:
        there = record.destination
        record = replace(record, destination=replace(there, images={**there.images, **images}))
        if state in {records.State.SUCCEEDED, records.State.FAILED}:
            record = applied(record, now)
        return records.moved(record, state, closed_at=now, **facts)

    return edit


def _myself(run: Run) -> Holder:
    here = run.identity
    return Holder(op=run.op, actor=here.actor, host=here.host, boot_id=here.boot_id, pid=here.pid)


def _spec(run: Run, seen: Seen, *, holds: bool, takes: bool) -> dict[str, Any]:
    stamp = seen.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    acquired = objects.dig(seen.lease, "spec", "acquireTime")
    return {
        "holderIdentity": run.op if holds else "",
        "leaseDurationSeconds": max(1, round(run.limits.lease)),
        "acquireTime": stamp if takes or not acquired else acquired,
        "renewTime": stamp,
        "leaseTransitions": seen.lock.epoch + (1 if takes else 0),
    }


def _body(run: Run, seen: Seen, content: Ledger, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(objects.dig(seen.lease, "metadata", default={}))
    metadata.pop("managedFields", None)
    metadata |= {
        "name": records.lease_name(run.target),
        "namespace": run.target.namespace,
        "labels": {**metadata.get("labels", {}), **records.OURS},
        "annotations": {
            **metadata.get("annotations", {}),
            records.WORKLOAD: str(run.target),
            form.ANNOTATION: size.fitting(content),
        },
    }
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }


def applied(record: Record, now: datetime) -> Record:
    """Tell that our PATCH landed; an edit that is made twice changes nothing the second time."""
    if record.state is not records.State.INTENT:
        return record
    return records.moved(record, records.State.APPLIED, patched_at=now)


def unchanged(record: Record, _now: datetime) -> Record:
    """Leave the record as it is: only the lock is let go."""
    return record
