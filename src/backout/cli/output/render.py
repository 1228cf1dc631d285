"""Events for readers: what a renderer is, and JSON lines for programs. Text is that of words/."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from backout.cli.output.printing import LONGEST, json_line, request_line, write
from backout.core.events import acting, told
from backout.core.events.lines import written
from backout.core.outcome import Result
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.events.event import Event
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine


class Renderer(Protocol):
    """Shows events as they happen."""

    def event(self, line: Line) -> None:
        """Show one event."""

    def request(self, line: RequestLine) -> None:
        """Show one request (`-v`), never a body."""

    def view(self, view: View | str | None) -> None:
        """Show a running rollout, or a line of progress, where possible; None: it is over."""


class JsonLines:
    """stdout is JSON lines only, one event a line, the last one the outcome.

    The announcement's plain line goes to stderr, and so do errors, for people who look on.
    """

    def event(self, line: Line) -> None:
        """Print one line."""
        write(sys.stdout, json_line(written(line)))
        event = line.event
        is_announcement = isinstance(event, acting.Triggered)
        if is_announcement or is_error(event):
            prefix = "" if is_announcement else "ERROR: "
            write(sys.stderr, prefix + untrusted(event.message, LONGEST))

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        write(sys.stderr, request_line(line))

    def view(self, view: View | str | None) -> None:
        """Show nothing: programs read events."""


def is_error(event: Event) -> bool:
    """Tell whether it is a last word that belongs on stderr."""
    if not isinstance(event, told.RunEnded):
        return False
    return event.exit != 0 and event.result != Result.PROGRESSING
