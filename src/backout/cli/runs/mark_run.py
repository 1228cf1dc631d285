"""Carries `backout ledger mark` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.invocation import invocation
from backout.cli.run import run_command
from backout.steps.mark import mark

if TYPE_CHECKING:
    from backout.cli.options.groups.marking import MarkOptions
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common
    from backout.core.outcome import Outcome
    from backout.steps.run import Run


def run(
    workload: tuple[str, ...], shared: Common, marks: MarkOptions, groups: tuple[Options, ...]
) -> int:
    """Return the exit code; raise click.UsageError where the options contradict each other."""
    if not workload:
        raise click.UsageError("name one workload: ledger mark TYPE/NAME")
    if marks.healthy and marks.bad:
        raise click.UsageError("--healthy and --bad contradict each other: name one")
    if not (marks.healthy or marks.bad) or not marks.reason.strip():
        raise click.UsageError("ledger mark needs --healthy or --bad, and --reason TEXT")

    async def steps(run: Run) -> Outcome:
        return await mark(run, number=marks.revision, healthy=marks.healthy)

    return run_command(invocation(steps, workload, shared, *groups, reason=marks.reason))
