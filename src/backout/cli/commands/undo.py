"""`backout undo TYPE/NAME`."""

from __future__ import annotations

from typing import Any

import click

from backout.cli.options import acting, complete
from backout.cli.options.durations import DURATION
from backout.cli.options.shared import breaker, collect, common


@click.command()
@click.argument(
    "workload",
    nargs=-1,
    required=True,
    metavar="TYPE/NAME",
    shell_complete=complete.workloads,
)
@click.option(
    "--to-revision",
    type=click.IntRange(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Go to this one, not the chosen.",
)
@acting.proof
@click.option(
    "--dry-run",
    type=click.Choice(["none", "server"]),
    default="none",
    help="Check everything, let the server try the patch, show the diff, change nothing.",
)
@click.option(
    "--accept", "accepted", multiple=True, metavar="ID", help="Go past this finding; with --reason."
)
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")
@click.option("--unpause", is_flag=True, help="Resume a paused workload in the same write.")
@click.option("--resume", "was_unpause", is_flag=True, hidden=True)
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask; needed where nobody can be asked, as in CI."
)
@acting.pin
@acting.health
@acting.telemetry
@acting.fail_fast
@acting.replacing
@breaker
@acting.preflight
@acting.registry
@click.option(
    "--wait-lock",
    type=DURATION,
    envvar="BACKOUT_WAIT_LOCK",
    help="Wait for another rollback to end; not counted in --timeout.  [default: refuse]",
)
@acting.lock
@acting.ledger
@acting.record
@common
@click.pass_context
def undo(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
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
    shared = collect(ctx, values)
    # Nothing of this is imported for --help: a tool should start as fast as one.
    from backout.cli.options.policy import policy_of  # noqa: PLC0415

    policy = policy_of(ctx, workload, values, shared.standing)
    is_trial = values["dry_run"] == "server"
    from backout.cli.run import run_command  # noqa: PLC0415 (nor for usage errors)
    from backout.steps.undo import undo as steps  # noqa: PLC0415

    return run_command(
        acting.invocation(
            steps,
            workload,
            shared,
            values,
            policy=policy,
            dry_run=is_trial,
            ask=not values["yes"] and not is_trial,
        )
    )
