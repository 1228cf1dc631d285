"""`backout history TYPE/NAME`: the revisions to choose from, what ran when, what is known."""

from __future__ import annotations

from typing import Any

import click

from backout.cli.help.command import Helped
from backout.cli.options import acting, complete
from backout.cli.options.shared import collect, common_in
from backout.cli.options.values import Number


@click.command(cls=Helped)
@click.argument(
    "workload", nargs=-1, required=True, metavar="TYPE/NAME", shell_complete=complete.workloads
)
@click.option(
    "--revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.all_revisions,
    help="Show the Pod template of revision N.",
)
@click.option("--no-headers", is_flag=True, help="Print the rows without what explains them.")
@click.option(
    "--show-values", is_flag=True, help="Show every value of the Pod template; needs --revision."
)
@acting.ledger
@common_in(
    "json",
    "yaml",
    "wide",
    "name",
    words="Output format; json is one revision a line, the last line is the choice; yaml the "
    "same as one document; wide has whole image names; name is what keeps each revision.",
)
@click.pass_context
def history(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Show the revisions of a workload: what ran when, what is known of it, where undo would go.

    One row a revision, newest first. `*` is the current one, `>` the one that undo would choose,
    with the reason below. Nothing is changed, and the right to read is enough.

    Exit codes: 0 shown, 1 error, 2 usage.

    \b
    Examples:
      backout history deploy/web
      backout history deploy/web -o wide
      backout history deploy/web --revision 4
      backout history deploy/web -o json | jq 'select(.bad == "")'
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    if values["show_values"] and values["revision"] is None:
        raise click.UsageError("--show-values goes with --revision N")
    if values["revision"] is not None and shared.output in {"wide", "name"}:
        raise click.UsageError(f"--revision N has -o json and yaml, not {shared.output}")
    # Nothing of this is imported for --help.
    from backout.cli.commands import history_view  # noqa: PLC0415
    from backout.cli.looking import looked_at  # noqa: PLC0415

    snapshot = looked_at(workload, shared, is_local=values["where"] == "local")
    number = values["revision"]
    if number is not None:
        return history_view.show_one(
            snapshot, number, shared.output, with_values=values["show_values"]
        )
    return history_view.show(snapshot, shared.output, has_headers=not values["no_headers"])
