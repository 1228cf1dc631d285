"""Carries `backout status` and `backout explain` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.invocation import invocation
from backout.cli.options.again import undoing
from backout.cli.run import run_command
from backout.steps import explain as explaining
from backout.steps import status as watching
from backout.steps.verify import verify

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common
    from backout.core.outcome import Outcome
    from backout.steps.run import Run


def watch(
    workload: tuple[str, ...],
    shared: Common,
    groups: tuple[Options, ...],
    *,
    revision: int | None,
    records: bool,
) -> int:
    """Watch the rollout, and return the exit code; `records`: as verify does."""

    async def steps(run: Run) -> Outcome:
        carry_out = verify if records else watching.status
        return await carry_out(run, number=revision)

    return run_command(invocation(steps, workload, shared, *groups, again=undoing(workload)))


def explain(workload: tuple[str, ...], shared: Common, groups: tuple[Options, ...]) -> int:
    """Say what is wrong, and return the exit code."""
    one = invocation(explaining.explain, workload, shared, *groups, again=undoing(workload))
    return run_command(one)
