"""`backout ledger`: what was rolled back, by whom, what became of it, and what is remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options import filename
from backout.cli.options.groups.locking import BreakerOptions, LedgerOptions
from backout.cli.options.groups.marking import MarkOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.shared import common
from backout.cli.program import MARK

if TYPE_CHECKING:
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@filename.words(MARK, "[TYPE/NAME | mark TYPE/NAME]")
@click.option("-A", "--all-namespaces", is_flag=True, help="List the ledgers of the whole cluster.")
@receives(marks=MarkOptions, breaker=BreakerOptions, place=LedgerOptions, record=RecordOptions)
@common
def ledger(
    *,
    words: tuple[str, ...],
    all_namespaces: bool,
    marks: MarkOptions,
    breaker: BreakerOptions,
    place: LedgerOptions,
    record: RecordOptions,
    shared: Common,
) -> int:
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
    from backout.cli.runs import ledger_list, ledger_view, mark_run  # noqa: PLC0415 (not for --help)

    if words[:1] == (MARK,):
        return mark_run.run(words[1:], shared, marks, (place, record))
    if marks.given:
        raise click.UsageError(f"--{marks.given[0]} goes with: ledger mark TYPE/NAME")
    if all_namespaces and words:
        raise click.UsageError("--all-namespaces lists; it takes no TYPE/NAME")
    if not words:
        if place.is_local:
            raise click.UsageError("--ledger local shows one workload: name it, TYPE/NAME")
        return ledger_list.show(shared, everywhere=all_namespaces)
    return ledger_view.show(
        words,
        shared,
        limit=breaker.rollback_limit,
        window=timedelta(seconds=breaker.rollback_window),
        is_local=place.is_local,
    )
