"""Goes on with a rollback that was left open: take over, fence, look, then watch it or close it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.checks.breaker import held_by
from backout.core.errors import BackoutError
from backout.core.events.acting import Resumed
from backout.core.history.choice import asked_for
from backout.core.kubernetes import template
from backout.core.ledger import records
from backout.core.ledger.records import Record, State
from backout.core.outcome import Outcome, Result
from backout.core.plan.plan import Plan
from backout.core.preflight.snapshot import Preflight, Snapshot
from backout.core.references.references import unchanged_since
from backout.core.spans import span
from backout.steps.acting.heal_later import heal_later
from backout.steps.acting.rollback import Rollback
from backout.steps.ledger.lease import see
from backout.steps.ledger.recover import (
    close_unwatched,
    found,
    let_go,
    may_take,
    take_over,
    unsettled,
)
from backout.steps.ledger.wait import until_free
from backout.steps.reading.look import workload
from backout.steps.reading.read import read
from backout.steps.reading.references import read_versioned

if TYPE_CHECKING:
    from backout.steps.ledger.lease import Held, Seen, Silent
    from backout.steps.ledger.settle import Settled
    from backout.steps.run import Run

GRACE = 5.0
"""Seconds beyond a lease's duration that a silent holder is watched for."""
ATTEMPTS = 3


class Unwatched(Struct, frozen=True, kw_only=True):
    """What was left open is closed, and nothing was watched; no `record`: it was a lock alone."""

    record: Record | None = None
    state: State = State.UNDECIDED


async def resume(run: Run) -> Outcome:
    """Settle what was left open; watch the newest rollback to its end where its PATCH landed.

    Raises BackoutError where nobody answers, or where it cannot be settled: it stays open then.
    """
    for _ in range(ATTEMPTS):
        seen = await see(run)
        if not records.left_open(seen.ledger) and not seen.lock.holder:
            unhealed = records.unhealed(seen.ledger)
            if unhealed is None:
                await workload(run)  # a name that does not exist has nothing left open, either
                return _nothing_left(run, seen)
            if (healed := await heal_later(run, seen, unhealed)) is not None:
                return healed
            continue
        patience = seen.lock.duration.total_seconds() + GRACE
        waited = await until_free(run, patience=patience)
        seen = waited.seen
        if not waited.is_free:
            return _alive(run, seen)
        if not records.left_open(seen.ledger) and not seen.lock.holder:
            return _ended_meanwhile(run, seen, waited.holder)
        ended = await _taken(run, seen)
        if ended is not None:
            return ended if isinstance(ended, Outcome) else _closed(run, ended)
    raise BackoutError(
        "the lock could not be taken: somebody else changes the Lease all the time",
        remedy="run the same command again",
    )


async def go_on(run: Run, *, silent: Silent | None = None) -> Outcome | None:
    """Go on with what was left open, whose lock is free; None where there is nothing to watch.

    For `silent` see `may_take`.
    """
    seen = await see(run)
    if not may_take(run, seen, silent=silent):
        return None
    ended = await _taken(run, seen)
    return ended if isinstance(ended, Outcome) else None


async def _taken(run: Run, seen: Seen) -> Outcome | Unwatched | None:
    """Take the lock over and settle what is open; None where somebody else was faster."""
    held = await take_over(run, seen)
    return None if held is None else await _settled(run, held, records.left_open(seen.ledger))


async def _settled(run: Run, held: Held, left: tuple[Record, ...]) -> Outcome | Unwatched:
    """Settle each record, the newest last, and let go of the lock whatever happens."""
    is_watched = False
    try:
        for record in left[:-1]:
            own = replace(held, record=record.op, lease=None)
            await close_unwatched(run, own, record, (await found(run, record)).state)
        if not left:
            return Unwatched()
        held.record, newest = left[-1].op, left[-1]
        settled = await found(run, newest)
        state = settled.state
        if state is State.APPLIED and settled.leads_here(newest, run.target.kind):
            snapshot = await read(run, chooses=False)
            if _is_still(settled, snapshot):
                rollback = Rollback(run, await resumed_plan(run, snapshot, newest), since=_clock())
                is_watched = True
                return await _watched(run, rollback, held, newest, snapshot)
        await close_unwatched(run, held, newest, state)
        return Unwatched(record=newest, state=state)
    except BackoutError as error:
        raise unsettled(left, error) from None
    finally:
        if not is_watched:
            await let_go(run, held)


def _is_still(settled: Settled, snapshot: Snapshot) -> bool:
    """Tell whether nobody has changed the template since it was looked at."""
    then = settled.workload
    now = snapshot.workload["spec"]["template"]
    return then is not None and template.same(then["spec"]["template"], now)


async def resumed_plan(run: Run, snapshot: Snapshot, record: Record) -> Plan:
    """Return the plan of a rollback that has led to where the workload is."""
    there = next((r for r in snapshot.revisions if r.is_current), None) or next(
        (r for r in snapshot.revisions if r.hash in record.destination.hashes), None
    )
    if there is None:
        raise BackoutError(
            "the controller has made no revision of what was rolled back to",
            remedy="run the same command again",
        )
    # Its Pods started before this is read: what was written since they may never have run with.
    named = await read_versioned(run, there.template)
    preflight = Preflight(
        snapshot=replace(snapshot, named=unchanged_since(named, record.intent_at)),
        policy=run.policy,
        revisions=snapshot.revisions,
        choice=asked_for(replace(there, number=record.destination.revision), snapshot.known),
    )
    return Plan(preflight=preflight, findings=(), skipped=(), accepted=())


async def _watched(
    run: Run, rollback: Rollback, held: Held, record: Record, snapshot: Snapshot
) -> Outcome:
    run.say(
        Resumed(
            message=f"a rollback of {record.actor} to revision {record.destination.revision}, "
            f"begun at {record.intent_at:%H:%M:%SZ}, was left open; its change has reached the "
            "cluster; watching it to its end, sending nothing again",
            resumed=record.op,
        )
    )
    return await rollback.go_on(held, snapshot.workload, record)


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _closed(run: Run, unwatched: Unwatched) -> Outcome:
    """Return the outcome of a record that was closed without watching anything."""
    record, state = unwatched.record, unwatched.state
    if record is None:
        return Outcome(result=Result.SETTLED, message="a lock was left behind; it is released")
    what = f"the rollback of {record.actor} to revision {record.destination.revision}"
    if state is State.NOT_APPLIED:
        return Outcome(
            result=Result.REFUSED,
            message=f"{what} was never applied: closed as NOT_APPLIED",
            also=("nothing was changed",),
            remedy=f"roll back now: {run.policy.program} undo {run.target} "
            f"-n {run.target.namespace}",
        )
    if state is State.APPLIED:
        return Outcome(
            result=Result.UNDECIDED,
            message=f"{what} was applied, and {run.target} asks for something else since: closed "
            "as UNDECIDED",
            remedy=f"watch it: kubectl rollout status {run.target} "
            f"-n {run.target.namespace} --timeout=10m",
        )
    return Outcome(
        result=Result.UNDECIDED,
        message=f"it cannot be told any more whether {what} was applied: somebody has changed "
        f"{run.target} since",
        also=("closed as UNDECIDED, and it counts for the limit of rollbacks",),
        remedy=f"see its history: kubectl rollout history {run.target} -n {run.target.namespace}",
    )


_ENDS = {
    State.SUCCEEDED: Result.SETTLED,
    State.FAILED: Result.FAILED,
    State.NOT_APPLIED: Result.REFUSED,
}


def _ended_meanwhile(run: Run, seen: Seen, holder: str) -> Outcome:
    """Return how the rollback ended that was waited for: it was alive all the time."""
    record = records.by_op(seen.ledger, holder)
    if record is None:
        return _nothing_left(run, seen)
    words = ", ".join(w for w in (str(record.state), record.verdict, record.health) if w)
    return Outcome(
        result=_ENDS.get(record.state, Result.UNDECIDED),
        message=f"that rollback, of {record.actor} to revision {record.destination.revision}, "
        f"ended by itself: {words}",
    )


_ENDED = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.NOT_APPLIED: "changed nothing",
}


def _nothing_left(run: Run, seen: Seen) -> Outcome:
    records = seen.ledger.records
    last: tuple[str, ...] = ()
    if records:
        ended = records[-1].closed_at or records[-1].intent_at
        ago = span(seen.now, since=ended)
        last = (f"the last one {_ENDED.get(records[-1].state, 'ended undecided')} {ago} ago",)
    words = f"no rollback of {run.target} is left open"
    return Outcome(result=Result.SETTLED, message=words, also=last)


def _alive(run: Run, seen: Seen) -> Outcome:
    return Outcome(
        result=Result.REFUSED,
        message=f"{held_by(seen.lock, seen.ledger, seen.now)}, and its holder is alive",
        also=("nothing was changed",),
        remedy=f"wait for it, or take it over: {run.policy.program} resume {run.target} "
        f"-n {run.target.namespace} --take-over",
    )
