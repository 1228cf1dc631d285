"""Carries `backout undo` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.invocation import invocation
from backout.cli.options import again
from backout.cli.run import run_command
from backout.steps.undo import undo

if TYPE_CHECKING:
    import click

    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common


def run(
    ctx: click.Context, workload: tuple[str, ...], shared: Common, groups: tuple[Options, ...]
) -> int:
    """Return the exit code."""
    words = again.words(ctx, workload, "undo")
    return run_command(invocation(undo, workload, shared, *groups, again=words))
