"""Lock and ledger in one Lease: whoever changes one does so by compare-and-swap of both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from backout.core.errors import BackoutError, Conflict, NotFound
from backout.core.events.told import Noted
from backout.core.kubernetes import objects
from backout.core.ledger import form, memory, records, size
from backout.core.ledger.records import Holder, Ledger, Lock, UnreadableLedger
from backout.kube import paths
from backout.kube.errors import Unclear
from backout.steps.concurrency import unbroken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.core.ledger.edits import Edit
    from backout.core.model import Object
    from backout.steps.run import Run

FRESH = 5.0
"""Seconds for which the server's last `Date` will do; a local ledger asks it for nothing."""
ATTEMPTS = 6
"""How often a lost compare-and-swap is made again: each time somebody else has made progress."""


class LockLost(BackoutError):  # noqa: N818 (it reads as what happened)
    """The Lease is no longer ours: taken over, deleted or made unreadable."""


class Silent(Struct, frozen=True, kw_only=True):
    """A lock whose Lease stood unchanged for a whole duration, by our own clock.

    Its holder is dead, whatever the times in it say. `version` is the Lease's resourceVersion.
    """

    version: str


class Seen(Struct, frozen=True, kw_only=True):
    """A Lease as just read (None: there is none), and the server's time then.

    `earliest` is the time by the slowest API server's clock: a lock that has not expired by it may
    be alive.
    """

    lease: Object | None
    now: datetime
    earliest: datetime

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
    return await known(run, await run.ledger.read())


async def known(run: Run, lease: Object | None) -> Seen:
    """Return a Lease that was read or written before, with the server's time now."""
    last = run.client.server_date
    if last is None or asyncio.get_running_loop().time() - last.monotonic > FRESH:
        await run.client.get(paths.version())
    return Seen(lease=lease, now=run.server_now(), earliest=run.client.earliest())


async def put(
    run: Run, seen: Seen, content: Ledger, *, holds: bool, takes: bool = False
) -> Object | None:
    """Write the Lease as its holder, or let it go; return it as it is then, None where it is not.

    Somebody has written since it was seen, or no clear answer came.

    `takes`: the lock changes hands, so the epoch grows. An unclear answer counts as a lost race:
    the caller reads again and finds out whose content stands there. Raises Forbidden with the Role.
    """
    content = replace(content, holder=_myself(run) if holds else None)
    return await _swapped(run, seen, content, _spec(run, seen, holds=holds, takes=takes))


async def put_beside(run: Run, seen: Seen, content: Ledger) -> bool:
    """Write the ledger and leave the lock as it is, whoever holds it; False if somebody wrote."""
    spec = objects.dig(seen.lease, "spec", default={"holderIdentity": ""})
    return await _swapped(run, seen, content, dict(spec)) is not None


async def _swapped(run: Run, seen: Seen, content: Ledger, spec: dict[str, Any]) -> Object | None:
    write = run.ledger.write(seen.lease, _body(run, seen, content, spec))
    try:
        return await _sent(run, asyncio.ensure_future(write))
    except (Conflict, NotFound, Unclear):
        return None


async def _sent(run: Run, write: asyncio.Future[Object]) -> Object:
    """Wait for a write's answer, also when interrupted; say so where none came."""
    try:
        return await unbroken(write, patience=run.limits.wind_down / 2)
    except asyncio.CancelledError:
        if write.cancelled():
            run.say(
                Noted(
                    message="a write of the Lease got no answer: the lock may be held until it "
                    f"expires, within {run.limits.lease:g} s"
                )
            )
        raise


class Held(Struct, kw_only=True):
    """Our hold on the lock, and the operation whose record we may change.

    `epoch` is the one we took it at: a successor's is higher. `confirmed` is the event loop's time
    at which the last write left that is known to have arrived. `lease` is what that write left
    there: it is not read again before the next, which is refused if anybody has written since.
    `is_lost` once it was seen to be ours no longer.
    """

    epoch: int
    record: str
    confirmed: float
    lease: Object | None = None
    is_lost: bool = False

    async def latest(self, run: Run) -> Seen:
        """Return the Lease as our last write left it, once; else as it is now."""
        lease, self.lease = self.lease, None
        return await (see(run) if lease is None else known(run, lease))

    def check(self, run: Run, seen: Seen) -> None:
        """Raise LockLost where the Lease as seen is no longer ours."""
        lock = seen.lock
        if seen.lease is None:
            self.is_lost = True
            raise LockLost("the Lease was deleted under this run; it is not made again")
        if lock.holder != run.op or lock.epoch != self.epoch:
            self.is_lost = True
            raise LockLost(f"the lock was taken over by {lock.holder or 'nobody'}")

    def check_fresh(self, run: Run) -> None:
        """Raise LockLost where no sign of life has got through for two thirds of the duration.

        Others may take the lock soon: whoever stops acting before needs no luck. A renewal beside
        may have seen that the lock is lost.
        """
        if self.is_lost:
            raise LockLost("the lock was lost, so it is no longer acted upon")
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
    late: bool = False,
) -> None:
    """Change our own record by compare-and-swap; with `release` let the lock go in the same write.

    `edit` gets the record as it stands and the server's time; `references` are the versions to
    remember where it tells of health; `late`: the record may be closed. Where our own answer was
    lost, what was written is recognised and not written again. Raises LockLost.
    """
    for _ in range(ATTEMPTS):
        seen = await held.latest(run)
        before = records.by_op(seen.ledger, held.record)
        if release and _is_released(held, seen):
            return
        held.check(run, seen)
        if before is None and not release:
            raise LockLost("the record of this run is gone from the ledger")
        content = seen.ledger
        if before is not None and (before.is_open or late):
            content = memory.with_record(content, edit(before, seen.now), references)
        sent_at = asyncio.get_running_loop().time()
        held.lease = await put(run, seen, content, holds=not release)
        if held.lease is not None:
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
        seen = await held.latest(run)
        held.check(run, seen)
        sent_at = asyncio.get_running_loop().time()
        held.lease = await put(run, seen, seen.ledger, holds=True)
        if held.lease is not None:
            held.confirmed = sent_at
            return


def _myself(run: Run) -> Holder:
    here = run.identity
    return Holder(
        op=run.op,
        actor=here.actor,
        host=here.host,
        boot_id=here.boot_id,
        pid=here.pid,
        namespace=here.namespace,
        started=here.started,
    )


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
            form.ANNOTATION: size.fitting(content, run.session.mask),
        },
    }
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }
