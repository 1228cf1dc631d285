"""Settles what a run that died has left open, before anything new: take over, fence, look, close.

An expired lock means that the successor recovers first, never that it may simply proceed
(reference ledger.md). The protocol is safe with a takeover at any moment; waiting is courtesy.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from backout.core import ledger
from backout.core.errors import ApiError, BackoutError, Unreachable
from backout.core.ledger import Record, State
from backout.steps.lease import ATTEMPTS, Held, LockLost, Seen, put, see
from backout.steps.settle import settle

if TYPE_CHECKING:
    from backout.steps.run import Run


async def recover(run: Run) -> None:
    """Close what was left open where its lock is free, expired, or held by a dead process.

    Without the right to read the Lease, or with a ledger that cannot be read, nothing is done: the
    checks say so. Raises Unreachable where nobody answers, and BackoutError where it cannot be
    settled: nothing new may begin then.
    """
    try:
        seen = await see(run)
        is_left = bool(left_open(seen)) and may_take(run, seen)
    except (ApiError, LockLost):
        return
    if not is_left:
        return
    try:
        await settle_all(run, seen)
    except BackoutError as error:
        who = left_open(seen)[0].actor
        raise BackoutError(
            f"an earlier rollback of {who} was left open and cannot be settled: {error.message}",
            remedy=error.remedy or "run the same command again",
        ) from None


def left_open(seen: Seen) -> tuple[Record, ...]:
    """Return the records of which it is not known what became of them."""
    return tuple(r for r in seen.ledger.records if r.is_open)


def may_take(run: Run, seen: Seen) -> bool:
    """Tell whether nobody alive holds the lock: free, expired, or a dead process of this boot."""
    lock = seen.lock
    if not lock.holder or lock.is_expired(seen.now):
        return True
    record = ledger.by_op(seen.ledger, lock.holder)
    here = run.identity
    is_of_here = record is not None and (record.boot_id, record.host) == (here.boot_id, here.host)
    return record is not None and is_of_here and bool(here.boot_id) and not _lives(record.pid)


async def settle_all(run: Run, seen: Seen) -> bool:
    """Take over, close what was left open, each for certain, and let go; False if outrun."""
    if not await put(run, seen, seen.ledger, holder=run.op, takes=True):
        return False
    held = Held(epoch=seen.lock.epoch + 1)
    try:
        for record in left_open(seen):
            await _settle_one(run, held, record)
    finally:
        await _let_go(run, held)
    return True


async def _settle_one(run: Run, held: Held, record: Record) -> None:
    state = await settle(run, record) if record.state is State.INTENT else None
    for _ in range(ATTEMPTS):
        seen = await see(run)
        held.check(run, seen)
        after = _closed(record, state, seen)
        content = ledger.with_record(seen.ledger, after)
        if await put(run, seen, content, holder=run.op, takes=False):
            run.say(
                "recovered",
                f"a rollback of {record.actor} from {record.intent_at:%H:%M:%SZ} was left open; "
                f"closed as {after.state}: {after.verdict}",
                recovered=record.op,
                state=str(after.state),
            )
            return
    raise Unreachable("the Lease could not be written", remedy="run the same command again")


async def _let_go(run: Run, held: Held) -> None:
    """Release the lock after a recovery; where that fails it expires by itself."""
    try:
        async with asyncio.timeout(run.limits.wind_down):
            seen = await see(run)
            held.check(run, seen)
            await put(run, seen, seen.ledger, holder="", takes=False)
    except (BackoutError, TimeoutError) as error:
        why = error.message if isinstance(error, BackoutError) else "no answer in time"
        run.say("note", f"the lock could not be released: {why}; it expires by itself")


def _closed(record: Record, state: State | None, seen: Seen) -> Record:
    """Return the record closed: nobody watched a PATCH that landed, so it stays undecided."""
    if state in {State.NOT_APPLIED, State.UNDECIDED}:
        verdict = "found not applied" if state is State.NOT_APPLIED else "cannot be told any more"
        return ledger.moved(record, state, closed_at=seen.now, verdict=verdict)
    if record.state is State.INTENT:
        record = ledger.moved(record, State.APPLIED)
    return ledger.moved(
        record, State.UNDECIDED, closed_at=seen.now, verdict="applied; nobody watched its rollout"
    )


def _lives(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
