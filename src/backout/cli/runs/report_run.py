"""Carries `backout report` out: an incident's page, or the list of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backout.cli.options import target
from backout.cli.output.printing import json_line
from backout.cli.output.reports import FORMATS, markdown
from backout.cli.output.reports.page import incident_page
from backout.cli.program import program
from backout.cli.runs import report_list
from backout.core.errors import ConfigError
from backout.core.report import incidents, runs, timeline
from backout.core.report.incident import as_json
from backout.core.report.runs import WantedRun
from backout.steps.journal import journal_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.report.incident import Incident
    from backout.core.report.runs import Lines

LISTS = ("text", "json")


def run(words: tuple[str, ...], values: Mapping[str, Any], before: Mapping[str, Any]) -> int:
    """Print what is wanted; return the exit code. `before` is what stood before the command.

    Raises click.UsageError where options contradict each other, and ConfigError where there is no
    such run or no journal.
    """
    namespace = values["namespace"] or before.get("namespace") or ""
    is_list = values["is_list"]
    asked = _wanted(words, namespace, is_any=values["last"] or is_list)
    if asked.record and asked.is_any:
        raise click.UsageError("RECORD names one run; --last and --list take TYPE/NAME or nothing")
    output = values["output"] or before.get("output") or ("text" if is_list else FORMATS[0])
    if is_list:
        if output not in LISTS:
            raise click.UsageError("report --list has -o json, or text without -o")
        return report_list.show(_read(values["journal"])[1], asked, output)
    if output not in FORMATS:
        raise click.UsageError("report has -o html, md and json")
    click.echo(_page(_found(asked, values["journal"]), output), nl=False)
    return 0


def _wanted(words: tuple[str, ...], namespace: str, *, is_any: bool) -> WantedRun:
    if not words:
        return WantedRun(namespace=namespace, is_any=is_any)
    if len(words) == 1 and "/" not in words[0]:
        return WantedRun(record=words[0], is_any=is_any)
    about = target.parse(words, namespace)
    kind = about.kind.resource.name
    return WantedRun(kind=kind, name=about.name, namespace=namespace, is_any=is_any)


def _read(journal: str | None) -> tuple[Path, Lines]:
    """Return what the journal holds, and where it is."""
    path = (
        Path(journal)
        if journal is not None
        else journal_read.default_path(os.environ, Path.home(), Path(tempfile.gettempdir()))
    )
    return path, journal_read.read(path)


def _found(wanted: WantedRun, journal: str | None) -> Incident:
    """Return the incident that is wanted."""
    path, lines = _read(journal)
    found = incidents.choose(incidents.incidents(runs.runs(lines.lines)), wanted)
    if found is None:
        gaps = f" ({'; '.join(lines.gaps)})" if lines.gaps else ""
        raise ConfigError(
            f"the journal {path} holds no such run{gaps}",
            remedy="read another journal (--journal FILE), or list the runs of this one: "
            f"{program()} report --list",
        )
    return timeline.incident(found, lines.gaps)


def _page(incident: Incident, output: str) -> str:
    if output == "html":
        return incident_page(incident)
    if output == "json":
        return json_line(as_json(incident)) + "\n"
    return markdown.page(incident)
