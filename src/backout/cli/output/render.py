"""Events for readers: text for people, JSON lines for programs. Cluster text is escaped here."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

from backout.cli.output.gate import shown
from backout.core.events import acting, planning, told, watching
from backout.core.events.lines import written
from backout.core.health.judgement import Answer
from backout.core.outcome import Result
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backout.cli.output.live import Live
    from backout.core.events.event import Event
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine

LONGEST = 2000
"""Characters of one line; a cluster's text may be endless."""
COMMAND = 2 * 1024 * 1024
"""Characters of a line that is to be run: cut, it would be another command."""

_STDERR = (
    planning.FindingMade,
    planning.NotChecked,
    planning.Blocked,
    planning.HandedOver,
    planning.AlertsRead,
    acting.LockAwaited,
    told.Noted,
    told.Warned,
)


class Renderer(Protocol):
    """Shows events as they happen."""

    def event(self, line: Line) -> None:
        """Show one event."""

    def request(self, line: RequestLine) -> None:
        """Show one request (`-v`), never a body."""

    def view(self, view: View | str | None) -> None:
        """Show a running rollout, or a line of progress, where possible; None: it is over."""


def json_line(value: Any) -> str:
    """Return a value as JSON, ASCII only; `##`, which CI runners look for anywhere, is escaped."""
    return json.dumps(value, ensure_ascii=True, default=str).replace("##", "#\\u0023")


class JsonLines:
    """stdout is JSON lines only, one event a line, the last one the outcome.

    The announcement's plain line goes to stderr, and so do errors, for people who look on.
    """

    def event(self, line: Line) -> None:
        """Print one line."""
        write(sys.stdout, json_line(written(line)))
        event = line.event
        is_announcement = isinstance(event, acting.Triggered)
        if is_announcement or _is_error(event):
            prefix = "" if is_announcement else "ERROR: "
            write(sys.stderr, prefix + untrusted(event.message, LONGEST))

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        write(sys.stderr, _request(line))

    def view(self, view: View | str | None) -> None:
        """Show nothing: programs read events."""


class Text:
    """Lines for people; `put` prints one line in a style to stdout or stderr.

    On a terminal the view of a running rollout stays below them.
    """

    def __init__(self, put: Callable[[str, str, bool], None]) -> None:
        self._put = put
        self._live = _live()
        self._rows: list[planning.WorkloadChecked] = []

    def event(self, line: Line) -> None:
        """Print an event's lines; rows wait for the last one, to be printed worst first."""
        match line.event:
            case planning.WorkloadChecked() as row:
                self._rows.append(row)
            case watching.Moved(repeated=True) if self._live is not None:
                pass  # the view tells it all the time
            case event:
                self._print(event)

    def _print(self, event: Event) -> None:
        if self._rows and isinstance(event, (planning.AllChecked, told.RunEnded)):
            self._table()
        frame = self._live.aside() if self._live is not None else []
        for style, line in _lines(event):
            to_stderr = isinstance(event, _STDERR) or _is_error(event)
            longest = COMMAND if isinstance(event, planning.HandedOver) else LONGEST
            self._put(untrusted(line, longest), style, to_stderr)
        if self._live is not None:
            self._live.back(frame)

    def _table(self) -> None:
        from backout.core.plan import standing  # noqa: PLC0415 (only for many workloads)

        for worst, line in standing.table(self._rows):
            self._put(line, _WORST.get(worst, ""), False)  # noqa: FBT003
        for line in standing.reasons(self._rows):
            self._put(untrusted(f"skipped {line}", LONGEST), "yellow", True)  # noqa: FBT003
        self._rows = []

    def request(self, line: RequestLine) -> None:
        """Print one request on stderr."""
        frame = self._live.aside() if self._live is not None else []
        self._put(_request(line), "dim", True)  # noqa: FBT003
        if self._live is not None:
            self._live.back(frame)

    def view(self, view: View | str | None) -> None:
        """Draw the view at the bottom of the terminal."""
        if self._live is not None:
            self._live.show(view)


def _lines(event: Event) -> list[tuple[str, str]]:
    """Return an event's lines, each with its style; none for what only reports are made of."""
    if _is_silent(event):
        return []
    message = event.message
    match event:
        case planning.FindingMade() | planning.Blocked() | planning.NotChecked():
            return _findings(event)
        case watching.NotReady(final=final, code=code):
            return [("yellow", f"  {'cause' if final else 'suspected'}: {message} [{code}]")]
        case planning.TargetChosen() | planning.Compared():
            return _changes(event)
        case watching.LogRead(lines=lines):
            return [("", f"  {message}"), *_quoted(lines, "dim")]
        case watching.HealthAnswered(answer=answer, lines=lines):
            said = lines if answer != Answer.WELL else ()
            return [("", f"  health: {message}"), *_quoted(said, "dim")]
        case planning.HandedOver(command=command):
            return [("", f"note: {message}"), ("", command)]
        case told.RunEnded(remedy=remedy):
            style, prefix = ("bold red", "ERROR: ") if _is_error(event) else ("bold green", "")
            return [(style, f"{prefix}{message}"), *_under(remedy)]
        case _:
            style, prefix = _PREFIXES.get(type(event), ("", ""))
            return [(style, f"{prefix}{message}")]


def _is_silent(event: Event) -> bool:
    match event:
        case watching.Measured(phase=phase, value=value):
            # What follows the value at the trigger is for plots: `health` tells its changes.
            return phase != "before" or value is None
        case acting.PatchLanded() | watching.Counted() | watching.HealthRepeated():
            return True
        case _:
            return False


_SIDES = {"-": "red", "+": "green"}
_WORST = {"BLOCK": "red", "unknown": "red", "WARN": "yellow"}
_PREFIXES: dict[type[Event], tuple[str, str]] = {
    acting.Triggered: ("bold", ""),
    told.Warned: ("yellow", "WARN: "),
    told.Noted: ("", "note: "),
    planning.PassedOver: ("dim", "  "),
    planning.KubectlDiffers: ("dim", "  "),
    watching.Measured: ("", "  "),
    planning.AskedBefore: ("dim", "  before: "),
    planning.AlertsRead: ("", "note: "),
}


def _findings(
    event: planning.FindingMade | planning.Blocked | planning.NotChecked,
) -> list[tuple[str, str]]:
    match event:
        case planning.FindingMade(message=message, id=one, detail=detail, remedy=remedy):
            weight = "accepted" if event.accepted else event.severity
            more = [("dim", f"  remedy: {remedy}")] if remedy else []
            return [("yellow", f"{weight} {one}: {message}"), *_under(detail), *more]
        case planning.NotChecked(message=message, ids=ids, remedy=remedy):
            return [("yellow", f"skipped {', '.join(ids)}: {message}"), *_under(remedy)]
        case planning.Blocked(message=message, id=one, detail=detail, remedy=remedy, risk=risk):
            lines = [("bold red", f"ERROR: {message}")]
            lines.append(("", f"  {one}" + (f": {detail}" if detail else "")))
            lines.append(("", f"  remedy: {remedy}"))
            if not event.acceptable:
                return [*lines, ("dim", "  this cannot be accepted")]
            return [*lines, *([("", f"  risk of going on: {risk}")] if risk else [])]


def _changes(event: planning.TargetChosen | planning.Compared) -> list[tuple[str, str]]:
    match event:
        case planning.TargetChosen(message=message, changes=changes):
            return [("", message), *([("", f"  changes: {'; '.join(changes)}")] if changes else [])]
        case planning.Compared(message=message, lines=lines):
            sides = [one for s in lines for one in _quoted([s], _SIDES.get(s[:1], ""), "")]
            return [("bold", message), *sides]


def _under(words: str) -> list[tuple[str, str]]:
    return [("", f"  {words}")] if words else []


def _quoted(lines: Iterable[str], style: str, indent: str = "  ") -> list[tuple[str, str]]:
    # The bar keeps CI runners from taking a line of somebody else's for a command of theirs.
    return [(style, f"{indent}│ {line}") for line in lines]


def _is_error(event: Event) -> bool:
    if not isinstance(event, told.RunEnded):
        return False
    return event.exit != 0 and event.result != Result.PROGRESSING


def _request(line: RequestLine) -> str:
    status = line.status if line.status is not None else "no answer"
    return shown(
        f"{line.method} {line.path} {status} {line.milliseconds:.0f} ms {line.audit_id}", LONGEST
    )


def _live() -> Live | None:
    if not sys.stdout.isatty():
        return None
    from backout.cli.output import live  # noqa: PLC0415 (only for a terminal)

    return live.Live() if live.is_possible() else None


def write(stream: Any, line: str, *, end: str = "\n") -> None:
    """Print a line at once: a pipe's reader wants to see it when it happens.

    A reader that went away, or a full disk, stops nothing: a rollback half done is worse than a
    line unread.
    """
    with contextlib.suppress(OSError):
        stream.write(line + end)
        stream.flush()
