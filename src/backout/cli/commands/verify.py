"""`backout verify TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import filename
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import LedgerOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.telemetry import TelemetryOptions
from backout.cli.options.groups.watching import WatchOptions
from backout.cli.options.shared import common
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@filename.workload
@click.option(
    "--revision", type=Number(min=1), metavar="N", help="Fail if the current revision is not N."
)
@click.option(
    "--reason",
    default="",
    metavar="TEXT",
    help="Reason to remember with the revision: a build, a ticket.",
)
@receives(
    health=HealthOptions,
    telemetry=TelemetryOptions,
    watch=WatchOptions,
    registry=RegistryOptions,
    ledger=LedgerOptions,
    record=RecordOptions,
)
@common
def verify(
    *,
    workload: tuple[str, ...],
    revision: int | None,
    reason: str,
    shared: Common,
    **groups: Options,
) -> int:
    """Verify the rollout that is under way, ask the service, and remember that it was healthy.

    For a pipeline, after a deploy: what is recorded here is what `undo` goes back to, and all that
    `undo --to-last-healthy` goes back to. The workload is not changed; without the right to write
    the ledger, or while a rollback is under way, that is said and nothing is recorded.

    \b
    Exit codes: 0 healthy, or nothing to ask and said so (--require-health: 5); 4 failed or
    unhealthy; 5 undecided; 1 error.

    \b
    Examples:
      backout verify deploy/web --reason "build 311"
      backout verify deploy/web --health https://shop.example/healthz --timeout 5m
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.cli.runs.verify_run import run  # noqa: PLC0415 (not for --help)

    return run(workload, shared, tuple(groups.values()), revision=revision, reason=reason)
