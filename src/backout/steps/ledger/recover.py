"""Settles what a run that died has left open, before anything new: take over, fence, look, close.

An expired lock means that the successor recovers first, never that it may simply proceed
(docs/decisions/0003-ledger.md). The protocol is safe with a takeover at any moment; waiting is
courtesy.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import BackoutError, NotFound
from backout.core.events.acting import Recovered
from backout.core.events.told import Noted
from backout.core.ledger import records
from backout.core.ledger.edits import closed, stored, unchanged, undecided
from backout.core.ledger.records import Record, State
from backout.kube import paths
from backout.steps.ledger.lease import Held, Seen, change, put, see
from backout.steps.ledger.processes import is_dead
from backout.steps.ledger.settle import Settled, settle

if TYPE_CHECKING:
    from backout.steps.ledger.lease import Silent
    from backout.steps.run import Run


def unsettled(left: tuple[Record, ...], error: BackoutError) -> BackoutError:
    """Return the error in words that say whose rollback it is about."""
    who = f" of {left[0].actor}" if left else ""
    return BackoutError(
        f"an earlier rollback{who} was left open and cannot be settled: {error.message}",
        remedy=error.remedy or "run the same command again",
    )


def may_take(run: Run, seen: Seen, *, silent: Silent | None = None) -> bool:
    """Tell whether the lock may be taken now: free, expired, its process dead, or told to.

    So it may where it is the one that was `silent`, and nobody has written since.
    """
    lock = seen.lock
    if not lock.holder or lock.is_expired(seen.earliest) or run.policy.take_over:
        return True
    holder = seen.ledger.holder
    if holder is not None and holder.op == lock.holder and is_dead(holder, run.identity):
        return True
    return silent is not None and seen.version == silent.version


async def settle_all(run: Run, seen: Seen, *, instead: int | None = None) -> bool:
    """Take over, settle what was left open, each for certain, and let go; False if outrun.

    A rollback that led to where the workload is stays open, to be gone on with, unless another
    revision was named `instead`. Raises BackoutError where it cannot be settled: nothing new may
    begin then.
    """
    left = records.left_open(seen.ledger)
    held = await take_over(run, seen)
    if held is None:
        return False
    try:
        for record in left:
            own = replace(held, record=record.op, lease=None)
            settled = await found(run, record)
            is_here = settled.leads_here(record, run.target.kind)
            if settled.state is State.APPLIED and is_here and instead is None:
                await change(run, own, stored(settled.workload))
            else:
                why = f"abandoned for revision {instead}" if is_here and instead else ""
                await close_unwatched(run, own, record, settled.state, why=why)
    except BackoutError as error:
        raise unsettled(left, error) from None
    finally:
        await let_go(run, held)
    return True


async def take_over(run: Run, seen: Seen) -> Held | None:
    """Take the lock of whoever had it; None where somebody else was faster.

    Where our own answer was lost, the lock is found to be ours.
    """
    sent_at = asyncio.get_running_loop().time()
    epoch = seen.lock.epoch + 1
    held = Held(epoch=epoch, record="", confirmed=sent_at)
    try:
        is_ours = await put(run, seen, seen.ledger, holds=True, takes=True) is not None
    except asyncio.CancelledError:
        with suppress(BackoutError, TimeoutError):
            async with asyncio.timeout(run.limits.wind_down):
                await change(run, held, unchanged, release=True)
        raise
    if not is_ours:
        lock = (await see(run)).lock
        is_ours = (lock.holder, lock.epoch) == (run.op, epoch)
    return held if is_ours else None


async def found(run: Run, record: Record) -> Settled:
    """Return what became of an open record's PATCH, for certain. The Lease must be ours."""
    if record.state is State.INTENT:
        return await settle(run, record)
    try:
        workload = await run.client.get(paths.workload(run.target))
    except NotFound:
        return Settled(state=State.APPLIED)
    return Settled(state=State.APPLIED, workload=workload)


async def close_unwatched(
    run: Run, held: Held, record: Record, state: State, *, why: str = ""
) -> None:
    """Close a record whose rollout nobody watched; that of a PATCH that landed stays undecided."""
    words = why or _VERDICTS[state]
    verdict = f"{words}; settled by {run.identity.actor} on {run.identity.host}"
    edit = undecided(verdict) if state is State.APPLIED else closed(state, verdict=verdict)
    await change(run, held, edit)
    closed_as = State.UNDECIDED if state is State.APPLIED else state
    run.say(
        Recovered(
            message=f"a rollback of {record.actor}, begun at {record.intent_at:%H:%M:%SZ}, was "
            f"left open; closed as {closed_as}: {words}",
            recovered=record.op,
            state=str(closed_as),
        )
    )


async def let_go(run: Run, held: Held) -> None:
    """Release the lock after a recovery; where that fails it expires by itself."""
    try:
        async with asyncio.timeout(run.limits.wind_down):
            held.lease = None
            await change(run, held, unchanged, release=True)
    except (BackoutError, TimeoutError) as error:
        why = error.message if isinstance(error, BackoutError) else "no answer in time"
        run.say(Noted(message=f"the lock could not be released: {why}; it expires by itself"))


_VERDICTS = {
    State.APPLIED: "applied; nobody watched its rollout",
    State.NOT_APPLIED: "found not applied",
    State.UNDECIDED: "cannot be told any more",
}
