"""`backout undo TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import complete, filename
from backout.cli.options.groups.aim import AimOptions, PinOptions
from backout.cli.options.groups.checking import CheckOptions
from backout.cli.options.groups.consent import ConsentOptions
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import (
    BreakerOptions,
    LedgerOptions,
    LockOptions,
    WaitOptions,
)
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.telemetry import TelemetryOptions
from backout.cli.options.groups.watching import ReplaceOptions, WatchOptions
from backout.cli.options.shared import common
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@filename.workload
@click.option(
    "--to-revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Roll back to revision N instead of the one that backout would choose.",
)
@receives(
    aim=AimOptions,
    consent=ConsentOptions,
    pin=PinOptions,
    health=HealthOptions,
    telemetry=TelemetryOptions,
    watch=WatchOptions,
    replace=ReplaceOptions,
    breaker=BreakerOptions,
    checks=CheckOptions,
    registry=RegistryOptions,
    wait=WaitOptions,
    lock=LockOptions,
    ledger=LedgerOptions,
    record=RecordOptions,
)
@common
@click.pass_context
def undo(
    ctx: click.Context, /, workload: tuple[str, ...], shared: Common, **groups: Options
) -> int:
    """Roll a workload back to a revision proven to work, and verify that it did.

    Chooses the newest other revision with Ready Pods now, else the newest that was recorded healthy
    or served for ten minutes, never one beyond a barrier. Checks that it will come up, refuses with
    the reason where it would not, patches once, watches the rollout to its end and asks the service
    until its answers hold.

    \b
    Examples:
      backout undo deploy/web
      backout undo deploy/web --dry-run
      backout undo deploy/web -n shop --to-revision 4 --reason "INC-7: 500s"
      backout undo deploy/web --yes                 in a pipeline
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.cli.runs.undo_run import run  # noqa: PLC0415 (not for --help)

    return run(ctx, workload, shared, tuple(groups.values()))
