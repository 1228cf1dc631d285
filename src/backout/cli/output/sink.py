"""Where events go: to the journal first, then to the reader."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from backout.cli.output.render import json_line, write
from backout.core.model import Event
from backout.steps.journal.journal import Journal, JournalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.output.render import Renderer
    from backout.core.outcome import Outcome


class Sink:
    """Writes every event to the journal and renders it.

    Until the rollback is triggered a journal that cannot be written raises JournalError and so
    stops everything; afterwards the run goes on, the lines are printed instead, and `is_lost`.
    """

    def __init__(self, out: Renderer) -> None:
        self._out = out
        self._journal: Journal | None = None
        self._context: Mapping[str, Any] = {}
        self._warned: set[str] = set()
        self.is_triggered = False
        self.is_lost = False

    def open(self, journal: Journal, context: Mapping[str, Any]) -> None:
        """Begin to write; `context` are the keys that all lines share."""
        self._journal, self._context = journal, context
        if journal.note:
            self.emit(Event(kind="note", message=journal.note))

    def emit(self, event: Event) -> None:
        """Take one event."""
        self._record(event)
        self.is_triggered = self.is_triggered or event.kind == "triggered"
        self._out.event(event)

    def warn(self, text: str) -> None:
        """Take a warning of the API server's; each is told once."""
        if text not in self._warned:
            self._warned.add(text)
            self.emit(Event(kind="warning", message=f"the API server warns: {text}"))

    def finish(self, outcome: Outcome, code: int) -> None:
        """Take the last word."""
        event = Event(
            kind="outcome",
            message=outcome.message,
            fields={
                "result": str(outcome.result),
                "exit": code,
                "verdict": outcome.verdict,
                "health": outcome.health,
                "remedy": outcome.remedy,
                **self._context,
            },
        )
        try:
            self._record(event)
        except JournalError as error:
            self._out.event(Event(kind="note", message=error.message))
        self._out.event(event)
        if self._journal is not None:
            self._journal.close()

    def _record(self, event: Event) -> None:
        if self._journal is None:
            return
        try:
            self._journal.write(event, self._context)
        except JournalError as error:
            if not self.is_triggered:
                raise
            if not self.is_lost:
                self._out.event(Event(kind="note", message=f"{error.message}; its lines follow"))
            self.is_lost = True
            line = {"event": event.kind, "message": event.message, **self._context, **event.fields}
            write(sys.stderr, json_line(line))
