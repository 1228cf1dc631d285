"""`backout report`: an incident on one page, from the journal alone."""

from __future__ import annotations

from typing import Any

import click

from backout.cli.help.command import Helped
from backout.cli.options.values import OneOf
from backout.cli.output.reports import FORMATS


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
    from backout.cli.runs.report_run import run  # noqa: PLC0415 (not for --help)

    return run(words, values, ctx.obj or {})
