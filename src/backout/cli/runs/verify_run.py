"""Carries `backout verify` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.invocation import invocation
from backout.cli.options.again import undoing
from backout.cli.run import run_command
from backout.steps.verify import verify

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common
    from backout.core.outcome import Outcome
    from backout.steps.run import Run


def run(
    workload: tuple[str, ...],
    shared: Common,
    groups: tuple[Options, ...],
    *,
    revision: int | None,
    reason: str,
) -> int:
    """Return the exit code."""

    async def steps(run: Run) -> Outcome:
        return await verify(run, number=revision)

    one = invocation(steps, workload, shared, *groups, again=undoing(workload), reason=reason)
    return run_command(one)
