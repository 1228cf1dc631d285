"""Lists the incidents of a journal, newest first, as a table for people or as rows for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.output import tables
from backout.cli.output.printing import json_line, printer
from backout.cli.output.reports import words
from backout.core.report import incidents, runs, timeline
from backout.core.report.incident import as_row

if TYPE_CHECKING:
    from backout.core.report.incident import Incident
    from backout.core.report.runs import Lines, WantedRun

HEADER = ("WHEN (UTC)", "WORKLOAD", "NAMESPACE", "COMMAND", "REVISION", "RESULT", "BY", "TRACE")
_TRACE = 12
"""Characters of a trace id that are shown: `report` takes them for the whole."""


def show(lines: Lines, wanted: WantedRun, output: str) -> int:
    """Print one line an incident; return the exit code."""
    every = incidents.incidents(runs.runs(lines.lines))
    found = [timeline.incident(i) for i in reversed(every) if incidents.is_wanted(i, wanted)]
    if output == "json":
        for one in found:
            click.echo(json_line(as_row(one)))
        return 0
    put = printer()
    if found:
        tables.table(put, HEADER, [("", _row(one)) for one in found])
    else:
        tables.sentence(put, "no runs")
    for gap in lines.gaps:
        tables.sentence(put, gap, "yellow")
    return 0


def _row(one: Incident) -> tuple[str, ...]:
    choice = one.choice
    revision = f"{words.source(one)} -> {choice.revision}" if choice.revision else choice.source
    commands = " + ".join(dict.fromkeys(c.command for c in one.commands if c.command))
    return (
        words.when(one).removesuffix(" UTC"),
        one.title if one.object.get("name") else "-",
        one.object.get("namespace") or "-",
        commands or "-",
        revision or "-",
        words.badge(one).word,
        one.actor or "-",
        one.trace_id[:_TRACE] or "-",
    )
