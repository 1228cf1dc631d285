"""`backout undo TYPE/NAME`."""

from __future__ import annotations

from typing import Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.durations import DURATION_OR_NONE
from backout.cli.options.shared import breaker, collect, common
from backout.cli.options.values import Number, OneOf


@click.command(cls=Helped)
@click.argument(
    "workload",
    nargs=-1,
    required=True,
    metavar="TYPE/NAME",
    shell_complete=complete.workloads,
)
@click.option(
    "--to-revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Roll back to revision N instead of the one that backout would choose.",
)
@acting.proof
@click.option(
    "--dry-run",
    type=OneOf(["none", "server"]),
    default="none",
    help="Make every check, let the server try the patch, show the difference, and change nothing.",
)
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="ID",
    help="Go on in spite of this finding; needs --reason.",
)
@click.option(
    "--reason", default="", metavar="TEXT", help="Reason for the rollback, kept in its record."
)
@click.option("--unpause", is_flag=True, help="Resume a paused workload in the same change.")
@click.option("--resume", "was_unpause", is_flag=True, hidden=True)
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help="Do not ask for confirmation; needed where nobody can be asked, as in CI.",
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
    type=DURATION_OR_NONE,
    envvar="BACKOUT_WAIT_LOCK",
    help="Time to wait for another rollback of the workload to end, not counted in --timeout.  "
    "[default: refuse]",
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
