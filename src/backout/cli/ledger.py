"""`backout ledger TYPE/NAME`: what was rolled back, by whom, and what became of it."""

from __future__ import annotations

from typing import Any

import click

from backout.cli import complete
from backout.cli.options import breaker, collect, common


@click.command()
@click.argument(
    "workload", nargs=-1, required=True, metavar="TYPE/NAME", shell_complete=complete.workloads
)
@breaker
@common
@click.pass_context
def ledger(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Show the rollbacks of a workload: its ledger, newest first.

    With -o json one line a record, as it stands in the ledger, oldest first.
    """
    # Nothing of this is imported for --help.
    from backout.cli.ledger_view import show  # noqa: PLC0415

    return show(
        workload,
        collect(ctx, values),
        limit=values["rollback_limit"],
        window=values["rollback_window"],
    )
