"""`backout diff TYPE/NAME`: what an undo would change."""

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
    "--to-revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.all_revisions,
    help="Revision to compare with.  [default: the one that undo would choose]",
)
@click.option(
    "--from",
    "from_revision",
    type=Number(min=1),
    metavar="N",
    shell_complete=complete.all_revisions,
    help="Revision to compare from.  [default: what the workload asks for now]",
)
@click.option("--show-values", is_flag=True, help="Show every value, secret or not.")
@receives(ledger=LedgerOptions)
@common_in(
    "json",
    "patch",
    words="Output format; json is a JSON Patch (RFC 6902) of the workload, patch a unified diff of "
    "the two templates as YAML.",
)
def diff(
    *,
    workload: tuple[str, ...],
    to_revision: int | None,
    from_revision: int | None,
    show_values: bool,
    ledger: LedgerOptions,
    shared: Common,
) -> int:
    """Show what an undo would change in the Pod template: in words, then field by field.

    Lists are compared by the key that merges them, quantities by value. Values of environment
    variables, and what looks like a credential, are hidden. Nothing is changed, and the right to
    read is enough.

    Exit codes: 0 shown, whether or not there is a difference, 1 error, 2 usage.

    \b
    Examples:
      backout diff deploy/web
      backout diff deploy/web --to-revision 4 --show-values
      backout diff deploy/web --from 3 --to-revision 5 -o patch
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.cli.runs.diff_run import run  # noqa: PLC0415 (not for --help)

    ends = (from_revision, to_revision)
    return run(workload, shared, ends, is_local=ledger.is_local, with_values=show_values)
