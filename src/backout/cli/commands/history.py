"""`backout history TYPE/NAME`: the revisions to choose from, what ran when, what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import complete, filename
from backout.cli.options.groups.locking import LedgerOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.shared import common_in
from backout.cli.options.values import Number

if TYPE_CHECKING:
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@filename.workload
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
@receives(ledger=LedgerOptions)
@common_in(
    "json",
    "yaml",
    "wide",
    "name",
    words="Output format; json is one revision a line, the last line is the choice; yaml the "
    "same as one document; wide has whole image names; name is what keeps each revision.",
)
def history(
    *,
    workload: tuple[str, ...],
    revision: int | None,
    no_headers: bool,
    show_values: bool,
    ledger: LedgerOptions,
    shared: Common,
) -> int:
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
    if show_values and revision is None:
        raise click.UsageError("--show-values goes with --revision N")
    if revision is not None and shared.output in {"wide", "name"}:
        raise click.UsageError(f"--revision N has -o json and yaml, not {shared.output}")
    from backout.cli.runs.history_run import run  # noqa: PLC0415 (not for --help)

    return run(
        workload,
        shared,
        revision,
        is_local=ledger.is_local,
        has_headers=not no_headers,
        with_values=show_values,
    )
