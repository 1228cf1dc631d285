"""`backout ledger`: what was rolled back, by whom, what became of it, and what is remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.shared import breaker, collect, common
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.options.shared import Common

MARK = complete.MARK


@click.command(cls=Helped)
@click.argument(
    "words", nargs=-1, metavar="[TYPE/NAME | mark TYPE/NAME]", shell_complete=complete.workloads
)
@click.option("-A", "--all-namespaces", is_flag=True, help="List the ledgers of the whole cluster.")
@click.option("--healthy", is_flag=True, help="With mark: record that the revision works.")
@click.option(
    "--bad",
    is_flag=True,
    help="With mark: record that the revision does not work; undo passes it over.",
)
@click.option(
    "--revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.all_revisions,
    help="With mark: the revision to mark.  [default: the current one]",
)
@click.option(
    "--reason", default="", metavar="TEXT", help="With mark: the reason, kept in the ledger."
)
@breaker
@acting.ledger
@acting.record
@common
@click.pass_context
def ledger(ctx: click.Context, /, words: tuple[str, ...], **values: Any) -> int:
    """Show the rollbacks of a workload and what is known of its revisions; or write that down.

    Without TYPE/NAME, list the ledgers of the namespace. With -o json one line a record, as it
    stands in the ledger, oldest first; the last line is the memory and the breaker.

    \b
    Examples:
      backout ledger deploy/web
      backout ledger --all-namespaces
      backout ledger mark deploy/web --bad --revision 4 --reason "INC-7: leaks"
      backout ledger mark deploy/web --healthy --reason "smoke tests passed"
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    if words[:1] == (MARK,):
        return _mark(words[1:], shared, values)
    for name in ("healthy", "bad", "revision", "reason"):
        if values[name]:
            raise click.UsageError(f"--{name} goes with: ledger mark TYPE/NAME")
    if values["all_namespaces"] and words:
        raise click.UsageError("--all-namespaces lists; it takes no TYPE/NAME")
    # Nothing of this is imported for --help.
    from backout.cli.commands import ledger_list, ledger_view  # noqa: PLC0415

    if not words:
        if values["where"] == "local":
            raise click.UsageError("--ledger local shows one workload: name it, TYPE/NAME")
        return ledger_list.show(shared, everywhere=values["all_namespaces"])
    return ledger_view.show(
        words,
        shared,
        limit=values["rollback_limit"],
        window=timedelta(seconds=values["rollback_window"]),
        is_local=values["where"] == "local",
    )


def _mark(workload: tuple[str, ...], shared: Common, values: dict[str, Any]) -> int:
    if not workload:
        raise click.UsageError("name one workload: ledger mark TYPE/NAME")
    is_healthy = values["healthy"]
    if is_healthy and values["bad"]:
        raise click.UsageError("--healthy and --bad contradict each other: name one")
    if not (is_healthy or values["bad"]) or not values["reason"].strip():
        raise click.UsageError("ledger mark needs --healthy or --bad, and --reason TEXT")
    from backout.cli.options.policy import mark_policy  # noqa: PLC0415

    policy = mark_policy(values)
    from backout.cli.run import run_command  # noqa: PLC0415
    from backout.core.outcome import Outcome  # noqa: PLC0415, TC001
    from backout.steps.mark import mark  # noqa: PLC0415
    from backout.steps.run import Run  # noqa: PLC0415, TC001

    async def steps(run: Run) -> Outcome:
        return await mark(run, number=values["revision"], healthy=is_healthy)

    return run_command(acting.invocation(steps, workload, shared, values, policy=policy))
