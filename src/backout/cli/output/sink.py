"""Where events go: to the journal first, then to the reader."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backout.cli.output.leaving import gated
from backout.cli.output.printing import json_line, write
from backout.core.events.acting import Triggered
from backout.core.events.lines import About, Line, written
from backout.core.events.told import Noted, RunEnded, Warned
from backout.steps.journal.journal import Journal, JournalError

if TYPE_CHECKING:
    from backout.cli.output.render import Renderer
    from backout.core.events.event import Event
    from backout.core.outcome import Outcome


class Sink:
    """The one gate that events leave by: masked and cut, written to the journal, then rendered.

    Until the rollback is triggered a journal that cannot be written raises JournalError and so
    stops everything; afterwards the run goes on, the lines are printed instead, and `is_lost`.
    """

    def __init__(self, out: Renderer, trace_id: str) -> None:
        self._out = out
        self._journal: Journal | None = None
        self._about = About(trace_id=trace_id)
        self._warned: set[str] = set()
        self.is_triggered = False
        self.is_lost = False

    def open(self, journal: Journal, about: About) -> None:
        """Begin to write; `about` is what all lines share."""
        self._journal, self._about = journal, about
        if journal.note:
            self.emit(Noted(message=journal.note))

    def emit(self, event: Event) -> None:
        """Take one event."""
        told = self._told(event)
        self._record(told)
        self.is_triggered = self.is_triggered or isinstance(event, Triggered)
        self._out.event(told)

    def warn(self, text: str) -> None:
        """Take a warning of the API server's; each is told once."""
        if text not in self._warned:
            self._warned.add(text)
            self.emit(Warned(message=f"the API server warns: {text}"))

    def finish(self, outcome: Outcome, code: int) -> None:
        """Take the last word."""
        last = RunEnded(
            message=outcome.whole,
            result=str(outcome.result),
            exit=code,
            verdict=outcome.verdict,
            health=outcome.health,
            remedy=outcome.remedy,
            sentences=outcome.sentences,
        )
        told = self._told(last)
        try:
            self._record(told)
        except JournalError as error:
            self._note(error.message)
        self._out.event(told)
        if self._journal is not None:
            self._journal.close()

    def _told(self, event: Event) -> Line:
        return Line(time=datetime.now(UTC), about=self._about, event=gated(event))

    def _note(self, words: str) -> None:
        self._out.event(self._told(Noted(message=words)))

    def _record(self, told: Line) -> None:
        if self._journal is None:
            return
        try:
            self._journal.write(told)
        except JournalError as error:
            if not self.is_triggered:
                raise
            if not self.is_lost:
                self._note(f"{error.message}; its lines follow")
            self.is_lost = True
            write(sys.stderr, json_line(written(told)))
