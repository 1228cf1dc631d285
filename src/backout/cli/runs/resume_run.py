"""Carries `backout resume` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.invocation import invocation
from backout.cli.run import run_command
from backout.steps.resume import resume

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common


def run(workload: tuple[str, ...], shared: Common, groups: tuple[Options, ...]) -> int:
    """Return the exit code."""
    return run_command(invocation(resume, workload, shared, *groups))
