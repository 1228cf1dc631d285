"""Settles what a run that died has left open, before anything new: take over, fence, look, close.

An expired lock means that the successor recovers first, never that it may simply proceed
(reference ledger.md). The protocol is safe with a takeover at any moment; waiting is courtesy.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.errors import ApiError, BackoutError
from backout.core.ledger import records
from backout.core.ledger.records import Record, State
from backout.steps.ledger.lease import Held, LockLost, Seen, change, put, see, unchanged
from backout.steps.ledger.processes import lives
from backout.steps.ledger.settle import settle

if TYPE_CHECKING:
    from datetime import datetime

    from backout.steps.ledger.lease import Edit
    from backout.steps.run import Run


async def recover(run: Run, *, still: str = "") -> None:
    """Close what was left open where its lock is free, expired, or held by a dead process.

    `still` is the Lease's resourceVersion that an observer saw unchanged for a whole duration.
    Without the right to read the Lease, or with a ledger that cannot be read, nothing is done: the
    checks say so. Raises Unreachable where nobody answers, and BackoutError where it cannot be
    settled: nothing new may begin then.
    """
    try:
        seen = await see(run)
        left = records.left_open(seen.ledger)
        is_left = bool(left or seen.lock.holder) and may_take(run, seen, still=still)
    except (ApiError, LockLost):
        return
    if not is_left:
        return
    try:
        await settle_all(run, seen)
    except BackoutError as error:
        raise unsettled(left, error) from None


def unsettled(left: tuple[Record, ...], error: BackoutError) -> BackoutError:
    """Return the error in words that say whose rollback it is about."""
    who = f" of {left[0].actor}" if left else ""
    return BackoutError(
        f"an earlier rollback{who} was left open and cannot be settled: {error.message}",
        remedy=error.remedy or "run the same command again",
    )


def may_take(run: Run, seen: Seen, *, still: str = "") -> bool:
    """Tell whether the lock may be taken now: free, expired, its process dead, or told to."""
    lock = seen.lock
    if not lock.holder or lock.is_expired(seen.now) or run.policy.take_over:
        return True
    return _is_dead(run, seen) or bool(still and seen.version == still)


async def settle_all(run: Run, seen: Seen) -> bool:
    """Take over, close what was left open, each for certain, and let go; False if outrun."""
    held = await take_over(run, seen)
    if held is None:
        return False
    try:
        for record in records.left_open(seen.ledger):
            state = await found(run, record)
            await close_unwatched(run, replace(held, record=record.op), record, state)
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
        is_ours = await put(run, seen, seen.ledger, holds=True, takes=True)
    except asyncio.CancelledError:
        with suppress(BackoutError, TimeoutError):
            async with asyncio.timeout(run.limits.wind_down):
                await change(run, held, unchanged, release=True)
        raise
    if not is_ours:
        lock = (await see(run)).lock
        is_ours = (lock.holder, lock.epoch) == (run.op, epoch)
    return held if is_ours else None


async def found(run: Run, record: Record) -> State:
    """Return what became of an open record's PATCH, for certain. The Lease must be ours."""
    return await settle(run, record) if record.state is State.INTENT else State.APPLIED


async def close_unwatched(run: Run, held: Held, record: Record, state: State) -> None:
    """Close a record whose rollout nobody watched; that of a PATCH that landed stays undecided."""
    verdict = f"{_VERDICTS[state]}; settled by {run.identity.actor} on {run.identity.host}"
    await change(run, held, _closed(state, verdict))
    closed_as = State.UNDECIDED if state is State.APPLIED else state
    run.say(
        "recovered",
        f"a rollback of {record.actor} from {record.intent_at:%H:%M:%SZ} was left open; "
        f"closed as {closed_as}: {_VERDICTS[state]}",
        recovered=record.op,
        state=str(closed_as),
    )


async def let_go(run: Run, held: Held) -> None:
    """Release the lock after a recovery; where that fails it expires by itself."""
    try:
        async with asyncio.timeout(run.limits.wind_down):
            await change(run, held, unchanged, release=True)
    except (BackoutError, TimeoutError) as error:
        why = error.message if isinstance(error, BackoutError) else "no answer in time"
        run.say("note", f"the lock could not be released: {why}; it expires by itself")


_VERDICTS = {
    State.APPLIED: "applied; nobody watched its rollout",
    State.NOT_APPLIED: "found not applied",
    State.UNDECIDED: "cannot be told any more",
}


def _closed(state: State, verdict: str) -> Edit:
    def edit(record: Record, now: datetime) -> Record:
        if state is not State.APPLIED:
            return records.moved(record, state, closed_at=now, verdict=verdict)
        if record.state is State.INTENT:
            record = records.moved(record, State.APPLIED)
        return records.moved(record, State.UNDECIDED, closed_at=now, verdict=verdict)

    return edit


def _is_dead(run: Run, seen: Seen) -> bool:
    """Tell whether the holder was a process of this boot of this machine, and is gone."""
    holder, here = seen.ledger.holder, run.identity
    if holder is None or holder.op != seen.lock.holder or not here.boot_id:
        return False
    is_of_here = (holder.boot_id, holder.host) == (here.boot_id, here.host)
    return is_of_here and not lives(holder.pid)
