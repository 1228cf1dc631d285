"""Carries `backout history` out: as a table, as rows for programs, or one revision's template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.looking import looked_at
from backout.cli.output import tables
from backout.cli.output.gate import MASK, shown
from backout.cli.output.pod_templates import as_yaml, hides, told
from backout.cli.output.printing import json_line, printer
from backout.cli.output.words import history_table
from backout.core.history import revisions
from backout.core.kubernetes import objects
from backout.core.plan.absent import no_such_revision
from backout.core.plan.listing import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.cli.options.shared import Common
    from backout.core.plan.listing import HistoryRow, HistoryTable
    from backout.core.preflight.snapshot import Snapshot

HIDDEN_VALUES = "values that may be secret are hidden: --show-values shows them"


def run(
    workload: tuple[str, ...],
    shared: Common,
    revision: int | None,
    *,
    is_local: bool,
    has_headers: bool,
    with_values: bool,
) -> int:
    """Look once and print all revisions, or the template of one; return the exit code."""
    snapshot = looked_at(workload, shared, is_local=is_local)
    if revision is not None:
        return show_one(snapshot, revision, shared.output, with_values=with_values)
    return show(snapshot, shared.output, has_headers=has_headers)


def show(snapshot: Snapshot, output: str, *, has_headers: bool) -> int:
    """Print the revisions, newest first; return the exit code."""
    told = listed(snapshot)
    if output == "json":
        for row in told.rows:
            click.echo(json_line(MASK.of(history_table.as_json(row))))
        click.echo(json_line(MASK.of(history_table.summary(told))))
    elif output == "yaml":
        rows = [history_table.as_json(row) for row in told.rows]
        whole = MASK.of({**history_table.summary(told), "revisions": rows})
        click.echo(as_yaml(whole), nl=False)
    elif output == "name":
        stored = snapshot.kind.stored
        for row in told.rows:
            name = objects.name(row.revision.stored)
            click.echo(shown(f"{stored.name.lower()}.{stored.group}/{name}"))
    else:
        _print(told, is_wide=output == "wide", has_headers=has_headers)
    return 0


def show_one(snapshot: Snapshot, number: int, output: str, *, with_values: bool) -> int:
    """Print the Pod template of a revision; return the exit code.

    Raises ConfigError where there is no such revision.
    """
    found = revisions.numbered(snapshot.revisions, number)
    if found is None:
        raise no_such_revision(snapshot, number)
    pod_template = told(found.template, with_values=with_values)
    click.echo(
        json_line(pod_template) + "\n" if output == "json" else as_yaml(pod_template), nl=False
    )
    if not with_values and hides(pod_template):
        click.echo(f"note: {HIDDEN_VALUES}", err=True)
    return 0


def _print(told: HistoryTable, *, is_wide: bool, has_headers: bool) -> None:
    put = printer()
    header = history_table.WIDE if is_wide else history_table.HEADER
    rows = [(_style(r), history_table.cells(r, told.now, is_wide=is_wide)) for r in told.rows]
    tables.table(put, header if has_headers else None, rows)
    if not has_headers:
        return
    for style, line in _notes(told):
        tables.sentence(put, line, style)


def _notes(told: HistoryTable) -> Iterator[tuple[str, str]]:
    if history_table.has_untold(told):
        yield "dim", history_table.LEGEND
    yield from (("", line) for line in history_table.notes(told))
    past = history_table.rollbacks(told)
    if past:
        yield "", "rollbacks, newest first:"
    yield from (("dim", f"  {line}") for line in past)


def _style(row: HistoryRow) -> str:
    if row.bad:
        return "red"
    return "bold" if row.revision.is_current else "green" if row.is_target else ""
