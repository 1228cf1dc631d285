"""`backout resume TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import filename
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import LedgerOptions, LockOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.telemetry import TelemetryOptions
from backout.cli.options.groups.watching import ReplaceOptions, WatchOptions
from backout.cli.options.shared import common

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@filename.workload
@receives(
    health=HealthOptions,
    telemetry=TelemetryOptions,
    watch=WatchOptions,
    replace=ReplaceOptions,
    registry=RegistryOptions,
    lock=LockOptions,
    ledger=LedgerOptions,
    record=RecordOptions,
)
@common
def resume(*, workload: tuple[str, ...], shared: Common, **groups: Options) -> int:
    """Settle a rollback that was left open, and go on with it.

    Takes the lock over from a process that died (waits for a silent one as long as its lock
    lasts), finds out for certain whether its PATCH landed, then watches the rollout to its end and
    asks the service, as undo does. Never rolls anything back by itself.

    \b
    Exit codes: 0 settled and healthy, or nothing was left open; 3 the PATCH never landed, or its
    holder is alive: nothing was changed; 4 failed or unhealthy; 5 undecided.
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.cli.runs.resume_run import run  # noqa: PLC0415 (not for --help)

    return run(workload, shared, tuple(groups.values()))
