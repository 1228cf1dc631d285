"""`backout resume TYPE/NAME`."""

from __future__ import annotations

from typing import Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.shared import collect, common


@click.command(cls=Helped)
@click.argument(
    "workload", nargs=-1, required=True, metavar="TYPE/NAME", shell_complete=complete.workloads
)
@acting.health
@acting.telemetry
@acting.fail_fast
@acting.replacing
@acting.registry
@acting.lock
@acting.ledger
@acting.record
@common
@click.pass_context
def resume(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Settle a rollback that was left open, and go on with it.

    Takes the lock over from a process that died (waits for a silent one as long as its lock
    lasts), finds out for certain whether its PATCH landed, then watches the rollout to its end and
    asks the service, as undo does. Never rolls anything back by itself.

    \b
    Exit codes: 0 settled and healthy, or nothing was left open; 3 the PATCH never landed, or its
    holder is alive: nothing was changed; 4 failed or unhealthy; 5 undecided.
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    # Nothing of this is imported for --help.
    from backout.cli.options.policy import health_policy  # noqa: PLC0415

    policy = health_policy(values)
    from backout.cli.run import run_command  # noqa: PLC0415
    from backout.steps.resume import resume as steps  # noqa: PLC0415

    return run_command(acting.invocation(steps, workload, shared, values, policy=policy))
