"""Events for people, as lines: a terminal's are wrapped to its width, a pipe's are whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from backout.cli.output import live, tables
from backout.cli.output.printing import request_line
from backout.cli.output.render import is_error
from backout.cli.output.streams import width_of
from backout.cli.output.words import standing_table
from backout.cli.output.words.last_words import LastWords
from backout.cli.output.words.layout import Shown, laid_out, signs
from backout.cli.output.words.lines import FOUND, TO_STDERR, lines
from backout.core.events import planning, told, watching
from backout.core.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backout.core.events.event import Event
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine

_WORST = {"BLOCK": "red", "unknown": "red", "WARN": "yellow"}


class Text:
    """Lines for people; `put` prints one line in a style to stdout or stderr.

    On a terminal the view of a running rollout stays below them. With `finds` the findings and a
    refusal are the result: they stand on stdout.
    """

    def __init__(self, put: Callable[[str, str, bool], None], *, finds: bool = False) -> None:
        self._put, self._finds = put, finds
        self._live = _live()
        self._rows: list[planning.WorkloadChecked] = []
        self._last = LastWords()
        self._signs = signs()

    def event(self, line: Line) -> None:
        """Print an event's lines; what is told at the end waits for it."""
        event = line.event
        if isinstance(event, planning.WorkloadChecked):
            self._rows.append(event)
        elif self._last.keeps(event) or _is_sign_of_life(event, self._live):
            pass  # the last lines tell it, or the view does all the time
        else:
            self._print(line)

    def _print(self, line: Line) -> None:
        event = line.event
        if self._rows and isinstance(event, (planning.AllChecked, told.RunEnded)):
            self._table()
        frame = self._live.aside() if self._live is not None else []
        if isinstance(event, told.RunEnded):
            self._lay(self._last.scripted(), to_stderr=True)
            self._lay(self._last.ending(line, event, self._signs), self._is_aside(event))
        else:
            self._lay(lines(event, self._signs.bar), self._is_aside(event))
        if self._live is not None:
            self._live.back(frame)

    def _is_aside(self, event: Event) -> bool:
        """Tell whether it belongs on stderr: it is no result."""
        if isinstance(event, told.RunEnded):
            return is_error(event) and not (self._finds and event.result == Result.REFUSED)
        return isinstance(event, TO_STDERR) and not (self._finds and isinstance(event, FOUND))

    def _lay(self, shown: Iterable[Shown], to_stderr: bool) -> None:  # noqa: FBT001 (as put takes it)
        width = width_of(sys.stderr if to_stderr else sys.stdout)
        for one in shown:
            for text in laid_out(one, width):
                self._put(text, one.style, to_stderr)

    def _table(self) -> None:
        rows = standing_table.table(self._rows)
        cells = [(_WORST.get(worst, ""), row) for worst, row in rows]
        tables.table(self._put, standing_table.HEADER, cells)
        skipped = [Shown(f"skipped {one}", "dim") for one in standing_table.reasons(self._rows)]
        self._lay(skipped, to_stderr=not self._finds)
        self._rows = []

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        frame = self._live.aside() if self._live is not None else []
        self._put(request_line(line), "dim", True)  # noqa: FBT003
        if self._live is not None:
            self._live.back(frame)

    def view(self, view: View | str | None) -> None:
        """Draw the view at the bottom of the terminal."""
        if self._live is not None:
            self._live.show(view)


def _is_sign_of_life(event: object, live_view: live.Live | None) -> bool:
    return live_view is not None and isinstance(event, watching.Moved) and event.repeated


def _live() -> live.Live | None:
    if not sys.stdout.isatty():
        return None
    return live.Live() if live.is_possible() else None
