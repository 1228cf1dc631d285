"""Makes every check of an undo without acting, to tell whether it could be rolled back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core import checks
from backout.core.errors import BackoutError
from backout.core.events.planning import Checked
from backout.core.model import Severity
from backout.core.outcome import Outcome, Result
from backout.core.plan.plan import Refusal
from backout.steps.preflight.prepare import (
    prepare,
    tell_aim,
    tell_choice,
    tell_findings,
    tell_refusal,
    tell_skipped,
)
from backout.steps.reading.read import SPARE

if TYPE_CHECKING:
    from backout.core.plan.plan import Plan
    from backout.steps.run import Run

LONGEST = 60.0
"""Seconds where the user sets no time."""


async def check(run: Run) -> Outcome:
    """Tell where an undo would go and all that stands against it; nothing is written.

    Raises BackoutError where the workload or its history cannot be read, or time is up.
    """
    run.client.warm(SPARE)
    total = run.limits.total or LONGEST + run.policy.rehearse
    try:
        async with asyncio.timeout(total):
            plan = await prepare(run)
    except TimeoutError:
        raise BackoutError(
            f"time was up after {total:g} s", remedy="give it longer: --timeout"
        ) from None
    outcome = _refused(run, plan) if isinstance(plan, Refusal) else _possible(run, plan)
    tell_skipped(run, plan.skipped)
    skipped = {one.id for one in plan.skipped}
    made = len(checks.CHECKS) - len(skipped) if plan.preflight is not None else 0
    missing = f", {len(skipped)} not or not wholly" if skipped else ""
    run.say(
        Checked(
            message=f"{made} checks made{missing}; {run.client.requests} requests to the API "
            "server",
            made=made,
            skipped=tuple(sorted(skipped)),
            requests=run.client.requests,
        )
    )
    return outcome


def _possible(run: Run, plan: Plan) -> Outcome:
    tell_choice(run, plan.preflight)
    tell_findings(run, plan.findings, (), {f.id for f in plan.accepted})
    warnings = sum(f.severity is Severity.WARN for f in plan.findings)
    words = {0: (), 1: ("1 warning",)}.get(warnings, (f"{warnings} warnings",))
    number = plan.preflight.destination.number
    return Outcome(
        result=Result.SUCCEEDED,
        message=f"{run.target} could be rolled back to revision {number}",
        also=words,
    )


def _refused(run: Run, refusal: Refusal) -> Outcome:
    tell_aim(run, refusal)
    tell_refusal(run, replace(refusal, skipped=()))
    ids = ", ".join(b.id for b in refusal.blocks)
    return Outcome(
        result=Result.REFUSED,
        message=f"{run.target} would not be rolled back ({ids})",
        remedy=f"to roll back anyway: {refusal.way_on}" if refusal.way_on else "",
    )
