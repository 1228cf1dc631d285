"""The whole story of an undo in a screen (design section 4)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.kubernetes import template
from backout.core.outcome import Outcome, Result
from backout.core.plan.plan import Plan, Refusal
from backout.steps.acting.rollback import Again, Rollback, refused
from backout.steps.identity import operation_id
from backout.steps.ledger.recover import recover
from backout.steps.ledger.wait import Waiting
from backout.steps.preflight.dry_run import patched
from backout.steps.preflight.prepare import is_same, prepare, tell
from backout.steps.rehearsing.trial import sweep

if TYPE_CHECKING:
    from backout.steps.run import Run

PLANS = 4
"""How often a plan is made anew because the workload changed meanwhile."""
THOUGHT = 2.0
"""Seconds after which an answer was a person's, and the plan is looked at again."""


async def undo(run: Run) -> Outcome:
    """Roll the workload back, or refuse, and say which; see the exit codes in design section 6.

    Raises BackoutError only before anything was sent.
    """
    waiting = Waiting(run)
    for count in range(PLANS):
        if count:
            run = replace(run, op=operation_id())
        plan, since = await _agreed(run, waiting)
        if isinstance(plan, Outcome):
            return plan
        if isinstance(plan, Refusal):
            return refused(run, plan)
        if plan is None:
            return Outcome(result=Result.DECLINED, message="declined: nothing was changed")
        if run.dry_run:
            return await _dry_run(run, plan)
        outcome = await Rollback(run, plan, since=since).carry_out()
        if not isinstance(outcome, Again):
            return outcome
        run.say("note", f"{outcome.why}; planning again")
    return Outcome(
        result=Result.NOT_CHANGED,
        message=f"the workload changed under each of {PLANS} plans; nothing was changed",
        remedy="see who else writes it, and run the command again",
    )


async def _agreed(run: Run, waiting: Waiting) -> tuple[Plan | Refusal | Outcome | None, float]:
    """Return the plan that the user agreed to, and when making it began (event-loop time).

    One that went stale meanwhile is asked again; the time a person thinks is not counted.
    """
    clock = asyncio.get_running_loop().time
    while True:
        still = await waiting.for_the_lock()
        if isinstance(still, Outcome):
            return still, clock()
        since = clock()
        plan = await _prepared(run, still)
        if not waiting.goes_on(plan):
            break
    while isinstance(plan, Plan):
        tell(run, plan)
        asked_at = clock()
        if run.dry_run:
            return plan, since
        if not await run.session.confirm(plan):
            return None, since
        if clock() - asked_at < THOUGHT:
            return plan, since
        since = clock()
        fresh = await _prepared(run)
        if isinstance(fresh, Plan) and is_same(plan, fresh):
            return fresh, since
        run.say("note", "the plan went stale while you were asked")
        plan = fresh
    return plan, since


async def _prepared(run: Run, still: str = "") -> Plan | Refusal:
    try:
        async with asyncio.timeout(run.limits.total):
            if not run.dry_run:
                await recover(run, still=still)
                await sweep(run)
            return await prepare(run)
    except TimeoutError:
        raise BackoutError(
            f"time was up after {run.limits.total:g} s, before anything was sent",
            remedy="give it longer: --timeout",
        ) from None


async def _dry_run(run: Run, plan: Plan) -> Outcome:
    """Send the exact patch as the server's dry run and show what it would change."""
    workload, destination = plan.preflight.snapshot.workload, plan.preflight.destination
    answer = await patched(run, workload, destination)
    lines = template.diff(workload["spec"]["template"], answer.object["spec"]["template"])
    changed = sum(line[:1] in {"+", "-"} for line in lines)
    run.say("diff", f"{changed} lines of the Pod template would change", lines=lines)
    return Outcome(
        result=Result.DRY_RUN,
        message=f"{run.target} would be rolled back to revision {destination.number} "
        "(server dry run); nothing was changed",
    )
