"""The ledger in the cluster: compare-and-swap on the workload's Lease.

One PUT changes lock and record together. Every PUT carries uid and resourceVersion: without the
uid it would re-create a Lease that somebody deleted, with the old content (measured).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from backout.core import ledger, ledger_json, objects
from backout.core.errors import BackoutError, Conflict, Forbidden, NotFound
from backout.core.ledger import Ledger, Lock, Record, UnreadableLedger
from backout.kube import paths
from backout.kube.errors import Unclear
from backout.steps.read import lease_of, with_role
from backout.steps.unbroken import unbroken

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.steps.run import Run

Edit: TypeAlias = Callable[[Record, datetime], Record]
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
        return ledger.lock(self.lease)

    @property
    def ledger(self) -> Ledger:
        """Its ledger; raises LockLost where it cannot be read."""
        found = ledger_json.read(self.lease)
        if isinstance(found, UnreadableLedger):
            raise LockLost(
                f"the ledger cannot be read: {found.why}",
                remedy="look at the Lease's annotation backout.dev/ledger",
            )
        return found


async def see(run: Run) -> Seen:
    """Return the Lease as it is now."""
    lease = await lease_of(run.client, run.target)
    return Seen(lease=lease, now=run.server_now())


async def put(run: Run, seen: Seen, content: Ledger, *, holder: str, takes: bool) -> bool:
    """Write the Lease if nobody has since; return False where somebody has.

    `takes`: the lock changes hands, so the epoch grows. An unclear answer counts as a lost race:
    the caller reads again and finds out whose content stands there. Raises Forbidden with the Role.
    """
    body = _body(run, seen, content, holder=holder, takes=takes)
    try:
        if seen.lease is None:
            write = run.client.create(paths.leases(run.target.namespace), body)
        else:
            path = paths.lease(run.target.namespace, objects.name(seen.lease))
            write = run.client.replace(path, body)
        await _sent(run, asyncio.ensure_future(write))
    except (Conflict, NotFound, Unclear):
        return False
    except Forbidden as error:
        raise with_role(error, "leases") from None
    return True


async def _sent(run: Run, write: asyncio.Future[dict[str, Any]]) -> None:
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


@dataclass(frozen=True, kw_only=True)
class Held:
    """Our hold on the lock. `epoch` is the one we took it at: a successor's is higher."""

    epoch: int

    def check(self, run: Run, seen: Seen) -> None:
        """Raise LockLost where the Lease as seen is no longer ours."""
        lock = seen.lock
        if seen.lease is None:
            raise LockLost("the Lease was deleted under this run; it is not made again")
        if lock.holder != run.op or lock.epoch != self.epoch:
            raise LockLost(f"the lock was taken over by {lock.holder or 'nobody'}")


async def change(
    run: Run,
    held: Held,
    edit: Edit,
    *,
    release: bool = False,
) -> None:
    """Change our own record by compare-and-swap; with `release` let the lock go in the same write.

    `edit` gets the record as it stands and the server's time. Where our own answer was lost, what
    was written is recognised and not written again. Raises LockLost.
    """
    for _ in range(ATTEMPTS):
        seen = await see(run)
        before = ledger.by_op(seen.ledger, run.op)
        if release and _is_released(held, seen):
            return
        held.check(run, seen)
        if before is None and not release:
            raise LockLost("the record of this run is gone from the ledger")
        content = seen.ledger
        if before is not None and before.is_open:
            content = ledger.with_record(content, edit(before, seen.now))
        if await put(run, seen, content, holder="" if release else run.op, takes=False):
            return
    raise LockLost(f"the Lease could not be written in {ATTEMPTS} attempts")


def _is_released(held: Held, seen: Seen) -> bool:
    """Tell whether our own release stands there: any other hand would have raised the epoch."""
    lock = seen.lock
    return seen.lease is not None and lock.holder == "" and lock.epoch == held.epoch


async def renew(run: Run, held: Held) -> bool:
    """Tell the others that we live; return False where the write did not get through this time."""
    seen = await see(run)
    held.check(run, seen)
    return await put(run, seen, seen.ledger, holder=run.op, takes=False)


def closed(state: ledger.State, **facts: Any) -> Edit:
    """Return the edit that closes a record at the server's time.

    A rollout that was judged was applied, also where that could not be written at its time.
    """

    def edit(record: Record, now: datetime) -> Record:
        if state in {ledger.State.SUCCEEDED, ledger.State.FAILED}:
            record = applied(record, now)
        return ledger.moved(record, state, closed_at=now, **facts)

    return edit


def _body(run: Run, seen: Seen, content: Ledger, *, holder: str, takes: bool) -> dict[str, Any]:
    lock = seen.lock
    stamp = seen.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    metadata = dict(objects.dig(seen.lease, "metadata", default={}))
    metadata.pop("managedFields", None)
    metadata |= {
        "name": ledger.lease_name(run.target),
        "namespace": run.target.namespace,
        "labels": {**metadata.get("labels", {}), "app.kubernetes.io/managed-by": "backout"},
        "annotations": {
            **metadata.get("annotations", {}),
            ledger_json.ANNOTATION: ledger_json.written(content),
        },
    }
    acquired = objects.dig(seen.lease, "spec", "acquireTime")
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, int(run.limits.lease)),
            "acquireTime": stamp if takes or not acquired else acquired,
            "renewTime": stamp,
            "leaseTransitions": lock.epoch + (1 if takes else 0),
        },
    }


def applied(record: Record, now: datetime) -> Record:
    """Tell that our PATCH landed; an edit that is made twice changes nothing the second time."""
    if record.state is not ledger.State.INTENT:
        return record
    return ledger.moved(record, ledger.State.APPLIED, patched_at=now)


def unchanged(record: Record, _now: datetime) -> Record:
    """Leave the record as it is: only the lock is let go."""
    return record
