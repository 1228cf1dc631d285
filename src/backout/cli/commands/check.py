"""`backout check`: of one workload all there is to know, of many a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import complete, filename
from backout.cli.options.groups.aim import AimOptions, PinOptions
from backout.cli.options.groups.checking import CheckOptions
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import BreakerOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.selecting import SelectOptions
from backout.cli.options.shared import common_with_page
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common

LIST = "list"
"""What `--explain` without an id stands for."""


@click.command(cls=Helped)
@filename.workloads
@receives(select=SelectOptions)
@click.option(
    "--to-revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Check revision N instead of the one that backout would choose.",
)
@receives(aim=AimOptions)
@click.option(
    "--explain",
    is_flag=False,
    flag_value=LIST,
    metavar="[ID]",
    help="Explain a check or a failure class and exit; without an id, list them.",
)
@receives(
    pin=PinOptions,
    health=HealthOptions,
    breaker=BreakerOptions,
    checks=CheckOptions,
    registry=RegistryOptions,
    record=RecordOptions,
)
@common_with_page
@click.pass_context
def check(
    ctx: click.Context,
    /,
    workload: tuple[str, ...],
    explain: str | None,
    select: SelectOptions,
    aim: AimOptions,
    shared: Common,
    **groups: Options,
) -> int:
    """Could a workload be rolled back if it had to be? Makes every check, changes nothing.

    Says where `undo` would go and why, each finding with its remedy, and what could not be looked
    at. The server's dry run of the exact patch is included. Of several workloads, named or found
    by --all, -A or -l, it prints a table, worst first; with -o json one event a workload. Only
    --rehearse makes something: one trial Pod, which is deleted again.

    Exit codes: 0 yes, 3 something blocks, 1 error.

    \b
    Examples:
      backout check deploy/web
      backout check deploy/web --strict -o json
      backout check -n shop --all
      backout check -f manifests/
      backout check -A -l team=checkout -o json
      backout check -A -o html > standing.html
      backout check --explain PF301
      backout check --explain
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    if explain is not None:
        from backout.cli.runs import page_run  # noqa: PLC0415 (not for --help, nor for a check)

        return page_run.run(explain if explain != LIST else None)
    from backout.cli.runs import check_run  # noqa: PLC0415 (not for --help, nor for a page)

    return check_run.run(ctx, workload, shared, select, aim, tuple(groups.values()))
