"""`backout verify TYPE/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.shared import collect, common
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.core.outcome import Outcome
    from backout.steps.run import Run


@click.command(cls=Helped)
@click.argument(
    "workload", nargs=-1, required=True, metavar="TYPE/NAME", shell_complete=complete.workloads
)
@click.option(
    "--revision", type=Number(min=1), metavar="N", help="Fail if the current revision is not N."
)
@click.option(
    "--reason",
    default="",
    metavar="TEXT",
    help="Reason to remember with the revision: a build, a ticket.",
)
@acting.health
@acting.telemetry
@acting.fail_fast
@acting.registry
@acting.ledger
@acting.record
@common
@click.pass_context
def verify(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
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
    shared = collect(ctx, values)
    # Nothing of this is imported for --help.
    from backout.cli.options.policy import verify_policy  # noqa: PLC0415

    policy = verify_policy(values)
    from backout.cli.run import run_command  # noqa: PLC0415
    from backout.steps.verify import verify as steps  # noqa: PLC0415

    async def verified(run: Run) -> Outcome:
        return await steps(run, number=values["revision"])

    return run_command(acting.invocation(verified, workload, shared, values, policy=policy))
