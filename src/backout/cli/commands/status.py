"""`backout status TYPE/NAME` and `backout explain TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.durations import DURATION_OR_NONE
from backout.cli.options.shared import collect, common
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.core.outcome import Outcome
    from backout.steps.run import Run

_WORKLOAD = click.argument(
    "workload", nargs=-1, required=True, metavar="TYPE/NAME", shell_complete=complete.workloads
)


@click.command(cls=Helped)
@_WORKLOAD
@click.option(
    "--revision", type=Number(min=1), metavar="N", help="Fail if the current revision is not N."
)
@click.option(
    "--soak",
    type=DURATION_OR_NONE,
    default=5.0,
    envvar="BACKOUT_SOAK",
    help="Time that a success must hold.  [default: 5s]",
)
@click.option(
    "--record",
    is_flag=True,
    help="Ask the service's health, too, and remember that it was healthy, as verify does.",
)
@acting.fail_fast
@acting.registry
@acting.ledger
@acting.record
@common
@click.pass_context
def status(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Watch the current rollout to a verdict, and say why where it fails.

    A drop-in for `kubectl rollout status` that does not wait for the progress deadline where the
    reason is final, and calls no rollout complete whose containers restart. Changes nothing, but
    with --record writes the ledger's memory.

    Exit codes: 0 complete, 4 failed, 5 not decided in time or superseded, 1 error.
    """
    shared = collect(ctx, values)
    # Nothing of this is imported for --help.
    from backout.cli.options.policy import watch_policy  # noqa: PLC0415
    from backout.cli.run import run_command  # noqa: PLC0415
    from backout.steps.status import status as watch  # noqa: PLC0415
    from backout.steps.verify import verify  # noqa: PLC0415

    async def watched(run: Run) -> Outcome:
        steps = verify if values["record"] else watch
        return await steps(run, number=values["revision"])

    policy = watch_policy(values)
    return run_command(acting.invocation(watched, workload, shared, values, policy=policy))


@click.command(cls=Helped)
@_WORKLOAD
@acting.patience
@acting.registry
@acting.record
@common
@click.pass_context
def explain(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Say what is wrong with a workload now, from one read.

    Every cause that stands, the root cause first, with its evidence, its remedy and the last lines
    of the failing container. Waits for nothing and changes nothing.

    Exit codes: 0 complete, 4 failed, 5 progressing, 1 error.
    """
    shared = collect(ctx, values)
    # Nothing of this is imported for --help.
    from backout.cli.options.policy import look_policy  # noqa: PLC0415
    from backout.cli.run import run_command  # noqa: PLC0415
    from backout.steps.explain import explain as steps  # noqa: PLC0415

    policy = look_policy(values)
    return run_command(acting.invocation(steps, workload, shared, values, policy=policy))
