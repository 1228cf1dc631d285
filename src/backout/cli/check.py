"""`backout check TYPE/NAME`."""

from __future__ import annotations

from typing import Any

import click

from backout.cli import acting, complete
from backout.cli.options import breaker, collect, common


@click.command()
@click.argument("workload", nargs=-1, metavar="TYPE/NAME", shell_complete=complete.workloads)
@click.option(
    "--to-revision",
    type=click.IntRange(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Would this one do, not the chosen.",
)
@click.option("--explain", metavar="ID", help="What a check or a failure class means, and exit.")
@acting.health
@breaker
@acting.preflight
@acting.record
@common
@click.pass_context
def check(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Could a workload be rolled back if it had to be? Makes every check and changes nothing.

    Says where `undo` would go and why, each finding with its remedy, and what could not be looked
    at. The server's dry run of the exact patch is included.

    Exit codes: 0 yes, 3 something blocks, 1 error.

    \b
    Examples:
      backout check deploy/web
      backout check deploy/web --strict -o json
      backout check --explain PF301
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    if values["explain"] is not None:
        from backout.cli.pages import page  # noqa: PLC0415

        click.echo(page(values["explain"]), nl=False)
        return 0
    # Nothing of this is imported for --help.
    from backout.cli.policy import check_policy  # noqa: PLC0415

    policy = check_policy(values)
    from backout.cli.session import run_command  # noqa: PLC0415 (nor for usage errors)
    from backout.steps.check import check as steps  # noqa: PLC0415

    return run_command(acting.settings(steps, workload, shared, values, policy=policy))
