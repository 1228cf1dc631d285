"""`backout check`: of one workload all there is to know, of many a row each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options import target as targets
from backout.cli.options.shared import breaker, collect, common_with_page
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.invocation import Invocation
    from backout.cli.options.shared import Common


LIST = "list"
"""What `--explain` without an id stands for."""


@click.command(cls=Helped)
@click.argument("workload", nargs=-1, metavar="TYPE/NAME...", shell_complete=complete.workloads)
@click.option("--all", "every", is_flag=True, help="Check every workload of the namespace.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Check every workload of the cluster.")
@click.option(
    "-l",
    "--selector",
    default="",
    metavar="LABELS",
    help="Check the workloads that have these labels: app=web.",
)
@click.option(
    "--to-revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Check revision N instead of the one that backout would choose.",
)
@acting.proof
@click.option(
    "--explain",
    is_flag=False,
    flag_value=LIST,
    metavar="[ID]",
    help="Explain a check or a failure class and exit; without an id, list them.",
)
@acting.pin
@acting.health
@breaker
@acting.preflight
@acting.registry
@acting.record
@common_with_page
@click.pass_context
def check(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Could a workload be rolled back if it had to be? Makes every check, changes nothing.

    Says where `undo` would go and why, each finding with its remedy, and what could not be looked
    at. The server's dry run of the exact patch is included. Of several workloads, named or found
    by --all, -A or -l, it prints a table, worst first; with -o json one event a workload. Only
    --rehearse makes something: one trial Pod, which is deleted again.

    Exit codes: 0 yes, 3 something blocks, 1 error.

    \b
    Examples:
      backout check deploy/web
      backout check deploy/web --strict -o json
      backout check -n shop --all
      backout check -A -l team=checkout -o json
      backout check -A -o html > standing.html
      backout check --explain PF301
      backout check --explain
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    if values["explain"] is not None:
        from backout.cli.output.pages import listing, page  # noqa: PLC0415

        is_list = values["explain"] == LIST
        click.echo(listing() if is_list else page(values["explain"]), nl=False)
        return 0
    # Nothing of this is imported for --help.
    from backout.cli.options.policy import check_policy  # noqa: PLC0415

    policy = check_policy(ctx, workload, values, shared.standing)
    is_many = _is_many(workload, values)
    if shared.output == "html" and not is_many:
        raise click.UsageError("-o html is a page of many workloads: --all, -l or -A")
    from backout.cli.run import run_command  # noqa: PLC0415 (nor for usage errors)

    if is_many:
        return run_command(_many(workload, shared, values, policy=policy))
    from backout.steps.check import check as steps  # noqa: PLC0415

    return run_command(acting.invocation(steps, workload, shared, values, policy=policy))


def _is_many(workload: tuple[str, ...], values: dict[str, Any]) -> bool:
    """Tell whether more than one workload may be meant; a usage error where none is."""
    finds = values["every"] or values["all_namespaces"] or bool(values["selector"])
    if not workload and not finds:
        raise click.UsageError(
            "name a workload, for example deployment/web; or write --all for every workload of "
            "the namespace, -l LABELS for some of them, -A for the whole cluster"
        )
    if finds and workload and targets.kind_alone(workload) is None:
        raise click.UsageError("--all, -A and -l find workloads; they take no TYPE/NAME")
    is_many = finds or len(targets.several(workload, "default")) > 1
    for option in ("to_revision", "to_image"):
        if is_many and values[option]:
            flag = f"--{option.replace('_', '-')}"
            raise click.UsageError(f"{flag} is a revision of one workload: name one")
    if is_many and values["rehearse"]:
        raise click.UsageError("--rehearse makes a trial Pod of one workload: name one")
    return is_many


def _many(
    workload: tuple[str, ...], shared: Common, values: dict[str, Any], **more: Any
) -> Invocation:
    from backout.core.kinds import KINDS  # noqa: PLC0415
    from backout.core.kinds.target import Target  # noqa: PLC0415
    from backout.core.outcome import Outcome  # noqa: PLC0415, TC001
    from backout.steps.check_many import Which, check_many  # noqa: PLC0415
    from backout.steps.run import Run  # noqa: PLC0415, TC001

    everywhere = values["all_namespaces"]
    alone = targets.kind_alone(workload)
    named = targets.several(workload, "default") if alone is None else ()
    kinds = tuple(dict.fromkeys(t.kind for t in named)) or (
        (alone,) if alone is not None else KINDS
    )
    asked = Which(kinds=kinds, named=named, selector=values["selector"], everywhere=everywhere)

    async def steps(run: Run) -> Outcome:
        return await check_many(run, asked)

    def target(namespace: str) -> Target:
        return Target(kind=kinds[0], namespace="" if everywhere else namespace, name="")

    return replace(acting.invocation(steps, workload, shared, values, **more), workload=target)
