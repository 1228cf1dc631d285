"""The whole story of an undo in a screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.difference import shown
from backout.core.difference.fields import differences
from backout.core.errors import BackoutError
from backout.core.events.acting import GoingOn
from backout.core.events.planning import Compared
from backout.core.events.told import Noted
from backout.core.events.watching import NextStep
from backout.core.ledger import once, records
from backout.core.ledger.records import Ledger, Record
from backout.core.outcome import Outcome, Result
from backout.core.plan.back import already_back, ways_on
from backout.core.plan.earlier import in_the_way
from backout.core.plan.plan import Plan, Refusal
from backout.steps.acting.act import Announcer
from backout.steps.acting.rollback import Again, Rollback, refused
from backout.steps.identity import operation_id
from backout.steps.ledger.lease import Seen
from backout.steps.ledger.recover import may_take
from backout.steps.ledger.wait import Waiting
from backout.steps.preflight.dry_run import patched
from backout.steps.preflight.prepare import is_same, prepare, tell
from backout.steps.reading.read import SPARE, read
from backout.steps.reading.where import tell_where
from backout.steps.resume import go_on, resumed_plan

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.ledger.lease import Silent
    from backout.steps.run import Run

PLANS = 4
"""How often a plan is made again because the workload changed meanwhile."""
THOUGHT = 2.0
"""Seconds after which an answer was a person's, and the plan is looked at again."""


class Agreed(Struct, frozen=True, kw_only=True):
    """A plan that the user said yes to, and when making it began (event-loop time).

    `left` is the rollback that it goes on with, None where it begins one. `silent` is the
    lock whose holder gave no sign of life while it was waited for.
    """

    plan: Plan
    since: float
    left: Record | None = None
    silent: Silent | None = None


async def undo(run: Run) -> Outcome:
    """Roll the workload back, or refuse, and say which; see the exit codes in README.md.

    Nothing is written before the user's yes. Raises BackoutError only before anything was sent.
    """
    run.client.warm(SPARE)
    waiting, announcer = Waiting(run), Announcer()
    before: Agreed | None = None
    for count in range(PLANS):
        if count:
            run = replace(run, op=operation_id())
        agreed = await _agreed(run, waiting, before)
        if isinstance(agreed, Outcome):
            return agreed
        outcome = await _carried_out(run, agreed, announcer)
        if isinstance(outcome, Outcome):
            return outcome
        run.say(Noted(message=f"{outcome.why}; planning again"))
        before = agreed
    return Outcome(
        result=Result.NOT_CHANGED,
        message=f"the workload changed under each of {PLANS} plans",
        also=("nothing was changed",),
        remedy="see who else writes it, and run the command again",
    )


async def _carried_out(run: Run, agreed: Agreed, announcer: Announcer) -> Outcome | Again:
    if run.dry_run:
        return await _dry_run(run, agreed)
    if agreed.left is not None:
        return await go_on(run, silent=agreed.silent) or Again(why="what was left open is settled")
    rollback = Rollback(run, agreed.plan, since=agreed.since, announcer=announcer)
    return await rollback.carry_out(silent=agreed.silent)


async def _agreed(run: Run, waiting: Waiting, before: Agreed | None) -> Agreed | Outcome:
    """Return the plan that the user agreed to, or why there is none.

    One that went stale meanwhile is asked again, and one that would do what was agreed to `before`
    is not; the time a person thinks is not counted.
    """
    clock = asyncio.get_running_loop().time
    while True:
        silent = await waiting.for_the_lock()
        looked = await _looked(run, silent)
        if not waiting.goes_on(looked):
            break
    while isinstance(looked, Agreed):
        if before is not None and _is_same(before, looked):
            return looked
        _tell(run, looked)
        asked_at = clock()
        if run.dry_run:
            return looked
        if not await run.session.confirm(looked.plan):
            return Outcome(result=Result.DECLINED, message="declined: nothing was changed")
        if clock() - asked_at < THOUGHT:
            return looked
        before, looked = looked, await _looked(run, silent)
        if not (isinstance(looked, Agreed) and _is_same(before, looked)):
            run.say(Noted(message="the plan went stale while you were asked"))
    return refused(run, looked) if isinstance(looked, Refusal) else looked


def _is_same(one: Agreed, other: Agreed) -> bool:
    return (one.left is None) == (other.left is None) and is_same(one.plan, other.plan)


def _tell(run: Run, agreed: Agreed) -> None:
    left = agreed.left
    if left is None:
        tell(run, agreed.plan)
        return
    run.say(
        GoingOn(
            message=f"a rollback of {left.actor} to revision {left.destination.revision}, begun at "
            f"{left.intent_at:%H:%M:%SZ}, was left open: this goes on with it",
            revision=left.destination.revision,
        )
    )


async def _looked(run: Run, silent: Silent | None) -> Agreed | Refusal | Outcome:
    """Read, and return what would be done: go on with a rollback, begin one, or neither."""
    since = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(run.limits.total):
            snapshot = _freed(run, await read(run), silent)
            back = _in_the_way(run, snapshot)
            if isinstance(back, once.Back):
                tell_where(run, snapshot)
                for sentence in ways_on(back, snapshot, run.policy):
                    run.say(NextStep(message=sentence))
                return already_back(back, snapshot, run.policy)
            left = back.record if back is not None else None
            plan = (
                await prepare(run, snapshot)
                if left is None
                else await resumed_plan(run, snapshot, left)
            )
    except TimeoutError:
        raise BackoutError(
            f"time was up after {run.limits.total:g} s, before anything was sent",
            remedy="give it longer: --timeout",
        ) from None
    return (
        plan
        if isinstance(plan, Refusal)
        else Agreed(plan=plan, since=since, left=left, silent=silent)
    )


def _freed(run: Run, snapshot: Snapshot, silent: Silent | None) -> Snapshot:
    """Return the snapshot without a holder whose lock may be taken: nothing is written for that."""
    if not isinstance(snapshot.ledger, Ledger):
        return snapshot
    earliest = run.client.earliest()
    seen = Seen(lease=snapshot.lease, now=snapshot.now, earliest=earliest)
    if may_take(run, seen, silent=silent):
        return replace(snapshot, lease=records.freed(snapshot.lease))
    return replace(snapshot, now=earliest)


def _in_the_way(run: Run, snapshot: Snapshot) -> once.LeftOpen | once.Back | None:
    """Return the rollback that has led here; the checks speak of one that is under way."""
    is_held = bool(records.lock(snapshot.lease).holder)
    return None if is_held else in_the_way(snapshot, run.policy)


async def _dry_run(run: Run, agreed: Agreed) -> Outcome:
    """Send the exact patch as the server's dry run and show what it would change."""
    plan = agreed.plan
    workload, destination = plan.preflight.snapshot.workload, plan.preflight.destination
    if agreed.left is not None:
        words = f"the rollback to revision {destination.number} would be resumed"
        return Outcome(result=Result.DRY_RUN, message=words, also=("nothing was changed",))
    answer = await patched(run, workload, destination)
    found = differences(workload["spec"]["template"], answer.object["spec"]["template"])
    fields = "1 field" if len(found) == 1 else f"{len(found)} fields"
    lines = shown.lines(found, with_plain=run.policy.show_values)
    run.say(Compared(message=f"{fields} of the Pod template would change", lines=tuple(lines)))
    return Outcome(
        result=Result.DRY_RUN,
        message=f"{run.target} would be rolled back to revision {destination.number} "
        "(server dry run)",
        also=("nothing was changed",),
    )
