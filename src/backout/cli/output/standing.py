"""`backout check -o html`: how many workloads stand, as one page for a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from backout.core.events.planning import Began, WorkloadChecked
from backout.core.events.told import Noted, RunEnded, Warned
from backout.core.plan.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.output.text import Text
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine


class Page:
    """Prints the page on stdout when all are checked; what else there is to say is on stderr."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._where = ""
        self._rows: list[Mapping[str, Any]] = []
        # Said before anything is asked: nobody wants to wait for a page that cannot be made.
        _page([], "")

    def event(self, line: Line) -> None:
        """Keep what is for the page; print it with the last word."""
        match line.event:
            case Began(message=where):
                self._where = where
            case WorkloadChecked() as row:
                self._rows.append(_row(row))
            case RunEnded(message=message) if self._rows:
                click.echo(_page(self._rows, self._where), nl=False)
                click.echo(message, err=True)
            case RunEnded() | Noted() | Warned():
                self._text.event(line)
            case _:
                pass

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        self._text.request(line)

    def view(self, view: View | str | None) -> None:
        """Show nothing: stdout is the page's."""


def _page(rows: list[Mapping[str, Any]], where: str) -> str:
    from backout.cli.output.reports.page import standing_page  # noqa: PLC0415 (needs an extra)

    return standing_page(rows, cluster=where, time=f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}")


def _row(one: WorkloadChecked) -> Mapping[str, Any]:
    """Return a workload as the page takes it; one that nobody could check says why."""
    is_unknown = one.answer == Standing.UNKNOWN
    unknown = {"id": "", "severity": "WARN", "message": one.error, "remedy": one.remedy}
    return {
        "workload": f"{one.workload['kind'].lower()}/{one.workload['name']}",
        "namespace": one.workload["namespace"],
        "revision": one.back_to,
        "worst": "unknown" if is_unknown else one.worst or "",
        "findings": [unknown] if is_unknown else [asdict(f) for f in one.findings],
        "skipped": sorted({s.id for s in one.skipped}),
    }
