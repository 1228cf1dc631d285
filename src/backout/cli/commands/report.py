"""`backout report`: an incident on one page, from the journal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options.values import OneOf

if TYPE_CHECKING:
    from pathlib import Path

    from backout.core.report.incident import Incident
    from backout.core.report.runs import Lines, WantedRun

FORMATS = ("md", "html", "json")
LISTS = ("text", "json")


@click.command(cls=Helped)
@click.argument("words", nargs=-1, metavar="[RECORD | TYPE/NAME]")
@click.option("--last", is_flag=True, help="Tell the newest run, even if it changed nothing.")
@click.option(
    "--list",
    "is_list",
    is_flag=True,
    help="List the runs, newest first, one a line; with TYPE/NAME those of a workload.",
)
@click.option("-n", "--namespace", metavar="NS", help="Tell only runs in this namespace.")
@click.option(
    "-o",
    "--output",
    type=OneOf(FORMATS),
    help="Output format; html needs the extra backout[report].  [default: md]",
)
@click.option(
    "--journal",
    metavar="FILE",
    envvar="BACKOUT_JOURNAL",
    help="Journal to read.  [default: in the state folder]",
)
@click.pass_context
def report(ctx: click.Context, /, words: tuple[str, ...], **values: Any) -> int:
    """Tell an incident on one page: what happened when, what was chosen and why, and how it ended.

    Without a name it is the newest run that changed something, with TYPE/NAME the workload's
    newest. RECORD is a trace id or an operation's id. A rollback and the `resume` that went on with
    it are one incident. Made from the journal alone: it needs no cluster, and works after the fact.
    The page of HTML is one file that fetches nothing and runs nothing.

    Exit codes: 0 written, 1 there is no such run or no journal, 2 usage.

    \b
    Examples:
      backout report -o html > incident.html
      backout report --list
      backout report deploy/web -n shop
      backout report c347c3cb0cc022b4ba4b958b820c4e90 -o json
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    before: dict[str, Any] = ctx.obj or {}
    namespace = values["namespace"] or before.get("namespace") or ""
    is_list = values["is_list"]
    asked = _wanted(words, namespace, is_any=values["last"] or is_list)
    if asked.record and asked.is_any:
        raise click.UsageError("RECORD names one run; --last and --list take TYPE/NAME or nothing")
    output = values["output"] or before.get("output") or ("text" if is_list else FORMATS[0])
    if is_list:
        if output not in LISTS:
            raise click.UsageError("report --list has -o json, or text without -o")
        from backout.cli.commands import report_list  # noqa: PLC0415

        return report_list.show(_read(values["journal"])[1], asked, output)
    if output not in FORMATS:
        raise click.UsageError("report has -o html, md and json")
    click.echo(_page(_found(asked, values["journal"]), output), nl=False)
    return 0


def _wanted(words: tuple[str, ...], namespace: str, *, is_any: bool) -> WantedRun:
    # Nothing of this is imported for --help.
    from backout.cli.options import target  # noqa: PLC0415
    from backout.core.report.runs import WantedRun  # noqa: PLC0415

    if not words:
        return WantedRun(namespace=namespace, is_any=is_any)
    if len(words) == 1 and "/" not in words[0]:
        return WantedRun(record=words[0], is_any=is_any)
    about = target.parse(words, namespace)
    kind = about.kind.resource.name
    return WantedRun(kind=kind, name=about.name, namespace=namespace, is_any=is_any)


def _read(journal: str | None) -> tuple[Path, Lines]:
    """Return what the journal holds, and where it is."""
    import os  # noqa: PLC0415
    import tempfile  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from backout.steps.journal import journal_read  # noqa: PLC0415

    path = (
        Path(journal)
        if journal is not None
        else journal_read.default_path(os.environ, Path.home(), Path(tempfile.gettempdir()))
    )
    return path, journal_read.read(path)


def _found(wanted: WantedRun, journal: str | None) -> Incident:
    """Return the incident that is wanted."""
    from backout.core.errors import ConfigError  # noqa: PLC0415
    from backout.core.report import incidents, runs, timeline  # noqa: PLC0415

    path, lines = _read(journal)
    run = incidents.choose(incidents.incidents(runs.runs(lines.lines)), wanted)
    if run is None:
        gaps = f" ({'; '.join(lines.gaps)})" if lines.gaps else ""
        raise ConfigError(
            f"the journal {path} holds no such run{gaps}",
            remedy="backout report --list shows the runs there are; --journal FILE reads another "
            "journal",
        )
    return timeline.incident(run, lines.gaps)


def _page(incident: Incident, output: str) -> str:
    if output == "html":
        from backout.cli.output.reports.page import incident_page  # noqa: PLC0415

        return incident_page(incident)
    if output == "json":
        from backout.cli.output.printing import json_line  # noqa: PLC0415
        from backout.core.report.incident import as_json  # noqa: PLC0415

        return json_line(as_json(incident)) + "\n"
    from backout.cli.output.reports import markdown  # noqa: PLC0415

    return markdown.page(incident)
