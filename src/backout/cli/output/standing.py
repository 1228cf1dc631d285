"""`backout check -o html`: how many workloads stand, as one page for a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from backout.core.plan.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.output.render import Text
    from backout.core.model import Event
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine

_TOLD = {"note", "warning"}


class Page:
    """Prints the page on stdout when all are checked; what else there is to say is on stderr."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._where = ""
        self._rows: list[Mapping[str, Any]] = []
        # Said before anything is asked: nobody wants to wait for a page that cannot be made.
        _page([], "")

    def event(self, event: Event) -> None:
        """Keep what is for the page; print it with the last word."""
        if event.kind == "context":
            self._where = event.message
        elif event.kind == "workload_checked":
            self._rows.append(_row(event.fields))
        elif event.kind == "outcome":
            self._finish(event)
        elif event.kind in _TOLD:
            self._text.event(event)

    def _finish(self, event: Event) -> None:
        if self._rows:
            click.echo(_page(self._rows, self._where), nl=False)
            click.echo(event.message, err=True)
        else:
            self._text.event(event)

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        self._text.request(line)

    def view(self, view: View | str | None) -> None:
        """Show nothing: stdout is the page's."""


def _page(rows: list[Mapping[str, Any]], where: str) -> str:
    from backout.cli.output.reports.page import standing_page  # noqa: PLC0415 (needs an extra)

    return standing_page(rows, cluster=where, time=f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}")


def _row(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event's fields as the page takes them; one that nobody could check says why."""
    workload = fields["workload"]
    is_unknown = fields["answer"] == Standing.UNKNOWN
    unknown = {"id": "", "severity": "WARN", "message": fields["error"], "remedy": fields["remedy"]}
    return {
        "workload": f"{workload['kind'].lower()}/{workload['name']}",
        "namespace": workload["namespace"],
        "revision": fields["back_to"],
        "worst": "unknown" if is_unknown else fields["worst"] or "",
        "findings": [unknown] if is_unknown else fields["findings"],
        "skipped": sorted({s["id"] for s in fields["skipped"]}),
    }
