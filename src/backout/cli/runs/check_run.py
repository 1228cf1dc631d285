"""Carries `backout check` out: of one workload, or of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from backout.cli.invocation import Invocation, invocation
from backout.cli.options import again
from backout.cli.options import target as targets
from backout.cli.run import run_command
from backout.core.kinds import KINDS
from backout.core.kinds.target import Target
from backout.steps.check import check
from backout.steps.check_many import Which, check_many

if TYPE_CHECKING:
    from backout.cli.options.groups.aim import AimOptions
    from backout.cli.options.groups.options import Options
    from backout.cli.options.groups.selecting import SelectOptions
    from backout.cli.options.shared import Common
    from backout.core.outcome import Outcome
    from backout.steps.run import Run


def run(
    ctx: click.Context,
    workload: tuple[str, ...],
    shared: Common,
    select: SelectOptions,
    aim: AimOptions,
    groups: tuple[Options, ...],
) -> int:
    """Return the exit code; raise click.UsageError where the options contradict each other."""
    words = again.words(ctx, workload, "undo")
    one = invocation(check, workload, shared, aim, *groups, again=words)
    is_many = _is_many(workload, select, aim)
    if shared.output == "html" and not is_many:
        raise click.UsageError("-o html is a page of many workloads: --all, -l or -A")
    return run_command(_many(one, workload, select) if is_many else one)


def _is_many(workload: tuple[str, ...], select: SelectOptions, aim: AimOptions) -> bool:
    """Tell whether more than one workload may be meant; a usage error where none is."""
    finds = select.every or select.all_namespaces or bool(select.selector)
    if not workload and not finds:
        raise click.UsageError(
            "name a workload, for example deployment/web; or write --all for every workload of "
            "the namespace, -l LABELS for some of them, -A for the whole cluster"
        )
    if finds and workload and targets.kind_alone(workload) is None:
        raise click.UsageError("--all, -A and -l find workloads; they take no TYPE/NAME")
    is_many = finds or len(targets.several(workload, "default")) > 1
    for flag, value in (("--to-revision", aim.to_revision), ("--to-image", aim.to_image)):
        if is_many and value:
            raise click.UsageError(f"{flag} is a revision of one workload: name one")
    if is_many and aim.rehearse:
        raise click.UsageError("--rehearse makes a trial Pod of one workload: name one")
    return is_many


def _many(one: Invocation, workload: tuple[str, ...], select: SelectOptions) -> Invocation:
    everywhere = select.all_namespaces
    alone = targets.kind_alone(workload)
    named = targets.several(workload, "default") if alone is None else ()
    kinds = tuple(dict.fromkeys(t.kind for t in named)) or (
        (alone,) if alone is not None else KINDS
    )
    asked = Which(kinds=kinds, named=named, selector=select.selector, everywhere=everywhere)

    async def steps(run: Run) -> Outcome:
        return await check_many(run, asked)

    def target(namespace: str) -> Target:
        return Target(kind=kinds[0], namespace="" if everywhere else namespace, name="")

    return replace(one, carry_out=steps, workload=target)
