"""Goes on with a rollback that was left open: take over, fence, look, then watch it or close it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.checks.breaker import held_by
from backout.core.errors import BackoutError
from backout.core.history.choice import asked_for
from backout.core.kubernetes import template
from backout.core.ledger import records
from backout.core.ledger.records import Record, State
from backout.core.outcome import Outcome, Result
from backout.core.plan.plan import Plan
from backout.core.preflight.snapshot import Preflight
from backout.core.references.references import unchanged_since
from backout.core.spans import span
from backout.kube import paths
from backout.steps.acting.rollback import Rollback
from backout.steps.ledger.lease import see
from backout.steps.ledger.recover import close_unwatched, found, let_go, take_over, unsettled
from backout.steps.ledger.wait import until_free
from backout.steps.reading.read import read
from backout.steps.reading.references import read_versioned

if TYPE_CHECKING:
    from backout.steps.ledger.lease import Held, Seen
    from backout.steps.run import Run

GRACE = 5.0
"""Seconds beyond a lease's duration that a silent holder is watched for."""
ATTEMPTS = 3


async def resume(run: Run) -> Outcome:
    """Settle what was left open; watch the newest rollback to its end where its PATCH landed.

    Raises BackoutError where nobody answers, or where it cannot be settled: it stays open then.
    """
    for _ in range(ATTEMPTS):
        seen = await see(run)
        left = records.left_open(seen.ledger)
        if not left and not seen.lock.holder:
            return _nothing_left(run, seen)
        patience = seen.lock.duration.total_seconds() + GRACE
        waited = await until_free(run, patience=patience)
        if not waited.is_free:
            return _alive(run, waited.seen)
        held = await take_over(run, waited.seen)
        if held is not None:
            return await _settled(run, held, records.left_open(waited.seen.ledger))
    raise BackoutError(
        "the lock could not be taken: somebody else changes the Lease all the time",
        remedy="run the same command again",
    )


async def _settled(run: Run, held: Held, left: tuple[Record, ...]) -> Outcome:
    """Settle each record, the newest last, and let go of the lock whatever happens."""
    is_watched = False
    try:
        for record in left[:-1]:
            own = replace(held, record=record.op)
            await close_unwatched(run, own, record, await found(run, record))
        if not left:
            return Outcome(result=Result.SETTLED, message="a lock was left behind; it is released")
        held.record, newest = left[-1].op, left[-1]
        state = await found(run, newest)
        if state is State.APPLIED:
            rollback = await _rollback(run, newest)
            if rollback is not None:
                is_watched = True
                return await _watched(run, rollback, held, newest)
        await close_unwatched(run, held, newest, state)
        return _closed(run, newest, state)
    except BackoutError as error:
        raise unsettled(left, error) from None
    finally:
        if not is_watched:
            await let_go(run, held)


async def _rollback(run: Run, record: Record) -> Rollback | None:
    """Return the rollback to go on with; None where the workload asks for something else now."""
    since = asyncio.get_running_loop().time()
    snapshot = await read(run, chooses=False)
    there = next((r for r in snapshot.revisions if r.hash == record.destination.hash), None)
    wanted = template.digest(snapshot.workload["spec"]["template"])
    if there is None or wanted != record.destination.hash:
        return None
    # Its Pods started before this is read: what was written since they may never have run with.
    named = await read_versioned(run, there.template)
    preflight = Preflight(
        snapshot=replace(snapshot, named=unchanged_since(named, record.intent_at)),
        policy=run.policy,
        revisions=snapshot.revisions,
        choice=asked_for(replace(there, number=record.destination.revision), snapshot.known),
    )
    plan = Plan(preflight=preflight, findings=(), skipped=(), accepted=())
    return Rollback(run, plan, since=since)


async def _watched(run: Run, rollback: Rollback, held: Held, record: Record) -> Outcome:
    run.say(
        "resumed",
        f"a rollback of {record.actor} from {record.intent_at:%H:%M:%SZ} to revision "
        f"{record.destination.revision} was left open; its PATCH landed; watching it to its end",
        resumed=record.op,
    )
    path = paths.workload(run.target)
    return await rollback.go_on(held, await run.client.get(path))


def _closed(run: Run, record: Record, state: State) -> Outcome:
    """Return the outcome of a record that was closed without watching anything."""
    what = f"the rollback of {record.actor} to revision {record.destination.revision}"
    if state is State.NOT_APPLIED:
        return Outcome(
            result=Result.REFUSED,
            message=f"{what} was never applied: closed as NOT_APPLIED; nothing was changed",
            remedy=f"to roll back now: backout undo {run.target} -n {run.target.namespace}",
        )
    if state is State.APPLIED:
        return Outcome(
            result=Result.UNDECIDED,
            message=f"{what} was applied, and {run.target} asks for something else since: closed "
            "as UNDECIDED",
            remedy=f"kubectl rollout status {run.target} -n {run.target.namespace} --timeout=10m",
        )
    return Outcome(
        result=Result.UNDECIDED,
        message=f"it cannot be told any more whether {what} was applied: somebody has changed "
        f"{run.target} since; closed as UNDECIDED, and it counts for the breaker",
        remedy=f"kubectl rollout history {run.target} -n {run.target.namespace}",
    )


def _nothing_left(run: Run, seen: Seen) -> Outcome:
    records = seen.ledger.records
    last = ""
    if records:
        ended = records[-1].closed_at or records[-1].intent_at
        last = f"; the last one ended {records[-1].state} {span(seen.now, since=ended)} ago"
    words = f"no rollback of {run.target} is left open{last}"
    return Outcome(result=Result.SETTLED, message=words)


def _alive(run: Run, seen: Seen) -> Outcome:
    return Outcome(
        result=Result.REFUSED,
        message=f"{held_by(seen.lock, seen.ledger, seen.now)}, and its holder is alive; nothing "
        "was changed",
        remedy=f"wait for it, or take it over all the same: backout resume {run.target} "
        f"-n {run.target.namespace} --take-over",
    )
