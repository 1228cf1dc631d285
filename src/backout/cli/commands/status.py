"""`backout status TYPE/NAME` and `backout explain TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import filename
from backout.cli.options.groups.locking import LedgerOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.watching import PatienceOptions, SoakOptions, WatchOptions
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
@receives(soak=SoakOptions)
@click.option(
    "--record",
    is_flag=True,
    help="Ask the service's health, too, and remember that it was healthy, as verify does.",
)
@receives(watch=WatchOptions, registry=RegistryOptions, ledger=LedgerOptions, keep=RecordOptions)
@common
def status(
    *,
    workload: tuple[str, ...],
    revision: int | None,
    record: bool,
    shared: Common,
    **groups: Options,
) -> int:
    """Watch the current rollout to a verdict, and say why where it fails.

    A drop-in for `kubectl rollout status` that does not wait for the progress deadline where the
    reason is final, and calls no rollout complete whose containers restart. Changes nothing, but
    with --record writes the ledger's memory.

    Exit codes: 0 complete, 4 failed, 5 not decided in time or superseded, 1 error.
    """
    from backout.cli.runs.status_run import watch  # noqa: PLC0415 (not for --help)

    kept = tuple(groups.values())
    return watch(workload, shared, kept, revision=revision, records=record)


@click.command(cls=Helped)
@filename.workload
@receives(patience=PatienceOptions, registry=RegistryOptions, record=RecordOptions)
@common
def explain(*, workload: tuple[str, ...], shared: Common, **groups: Options) -> int:
    """Say what is wrong with a workload now, from one read.

    Every cause that stands, the root cause first, with its evidence, its remedy and the last lines
    of the failing container. Waits for nothing and changes nothing.

    Exit codes: 0 complete, 4 failed, 5 progressing, 1 error.
    """
    from backout.cli.runs.status_run import explain as run  # noqa: PLC0415 (not for --help)

    return run(workload, shared, tuple(groups.values()))
