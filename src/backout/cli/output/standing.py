"""`backout check -o html`: how many workloads stand, as one page for a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from backout.cli.output.reports import wall
from backout.cli.output.reports.wall import WallRow, wall_page
from backout.core.events.planning import Began, WorkloadChecked
from backout.core.events.told import Noted, RunEnded, Warned
from backout.core.images.names import short
from backout.core.plan.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.output.reports.wall import Readiness
    from backout.cli.output.words.text import Text
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine


class Page:
    """Prints the page on stdout when all are checked; what else there is to say is on stderr."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._where = ""
        self._about: Mapping[str, str] = {}
        self._rows: list[WallRow] = []
        # Said before anything is asked: nobody wants to wait for a page that cannot be made.
        _page([], {}, "")

    def event(self, line: Line) -> None:
        """Keep what is for the page; print it with the last word."""
        match line.event:
            case Began(message=where):
                self._where, self._about = where, line.about.object
            case WorkloadChecked() as row:
                self._rows.append(_row(row))
            case RunEnded(message=message) if self._rows:
                click.echo(_page(self._rows, self._about, self._where), nl=False)
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


def _page(rows: list[WallRow], about: Mapping[str, str], where: str) -> str:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}"
    return wall_page(rows, about=about, where=where, time=now)


def _row(one: WorkloadChecked) -> WallRow:
    """Return a workload as the page takes it."""
    return WallRow(
        namespace=one.workload["namespace"],
        workload=f"{one.workload['kind'].lower()}/{one.workload['name']}",
        state=_state(one),
        now=one.now,
        now_images=_short(one.now_images),
        back_to=one.back_to,
        back_to_images=_short(one.back_to_images),
        blocks=[f for f in one.findings if f.refuses],
        others=[f for f in one.findings if not f.refuses],
        skipped=sorted({s.id for s in one.skipped}),
        error=one.error,
        remedy=one.remedy,
    )


def _short(images: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(map(short, images.values())))


def _state(one: WorkloadChecked) -> Readiness:
    if one.answer == Standing.UNKNOWN:
        return wall.UNKNOWN
    if one.answer == Standing.REFUSED:
        return wall.BLOCKED
    if one.worst in {"BLOCK", "WARN"}:
        return wall.WARNINGS
    return wall.PART if one.skipped else wall.READY
