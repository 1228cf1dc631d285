"""Events for readers: text for people, JSON lines for programs. Cluster text is escaped here."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

from backout.core.health.judgement import Answer
from backout.core.outcome import Result
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backout.cli.output.live import Live
    from backout.core.model import Event
    from backout.core.rollout.view import View
    from backout.kube.client import RequestLine

LONGEST = 2000
"""Characters of one line; a cluster's text may be endless."""
COMMAND = 2 * 1024 * 1024
"""Characters of a line that is to be run: cut, it would be another command."""

_SILENT = {"patched", "replicas", "sample"}
_STDERR = {"finding", "skipped", "note", "warning", "blocked", "waiting", "hand_over", "alerts"}


class Renderer(Protocol):
    """Shows events as they happen."""

    def event(self, event: Event) -> None:
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

    def event(self, event: Event) -> None:
        """Print one line."""
        line = {"event": event.kind, "message": event.message, **event.fields}
        write(sys.stdout, json_line(line))
        if event.kind == "triggered" or _is_error(event):
            prefix = "" if event.kind == "triggered" else "ERROR: "
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
        self._rows: list[Mapping[str, Any]] = []

    def event(self, event: Event) -> None:
        """Print an event's lines; rows wait for the last one, to be printed worst first."""
        if event.kind == "workload_checked":
            self._rows.append(event.fields)
            return
        if event.fields.get("repeated") and self._live is not None:
            return  # the view tells it all the time
        if self._rows and event.kind in {"standing", "outcome"}:
            self._table()
        frame = self._live.aside() if self._live is not None else []
        for style, line in _lines(event):
            to_stderr = event.kind in _STDERR or _is_error(event)
            longest = COMMAND if event.kind == "hand_over" else LONGEST
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
    if event.kind in _SILENT:
        return []
    if event.kind in _SHAPES:
        return _SHAPES[event.kind](event)
    style, prefix = _PREFIXES.get(event.kind, ("", ""))
    return [(style, f"{prefix}{event.message}")]


_WORST = {"BLOCK": "red", "unknown": "red", "WARN": "yellow"}
_PREFIXES = {
    "triggered": ("bold", ""),
    "warning": ("yellow", "WARN: "),
    "note": ("", "note: "),
    "passed_over": ("dim", "  "),
    "kubectl": ("dim", "  "),
    "baseline": ("dim", "  before: "),
    "alerts": ("", "note: "),
}


def _finding(event: Event) -> list[tuple[str, str]]:
    fields = event.fields
    severity = "accepted" if fields["accepted"] else fields["severity"]
    return [("yellow", f"{severity} {fields['id']}: {event.message}"), *_more(fields)]


def _skipped(event: Event) -> list[tuple[str, str]]:
    remedy = event.fields["remedy"]
    first = ("yellow", f"skipped {', '.join(event.fields['ids'])}: {event.message}")
    return [first, *([("", f"  {remedy}")] if remedy else [])]


def _cause(event: Event) -> list[tuple[str, str]]:
    word = "cause" if event.fields["final"] else "suspected"
    return [("yellow", f"  {word}: {event.message} [{event.fields['code']}]")]


def _diff(event: Event) -> list[tuple[str, str]]:
    # The bar keeps CI runners from taking a line of the cluster's for a command of theirs.
    return [("", f"│ {line}") for line in event.fields["lines"]]


def _logs(event: Event) -> list[tuple[str, str]]:
    # The bar keeps CI runners from taking a line of a log's for a command of theirs.
    return [("", f"  {event.message}"), *(("dim", f"  │ {s}") for s in event.fields["lines"])]


def _health(event: Event) -> list[tuple[str, str]]:
    said = event.fields.get("lines", ()) if event.fields["answer"] != Answer.WELL else ()
    return [("", f"  health: {event.message}"), *(("dim", f"  │ {s}") for s in said)]


def _metric(event: Event) -> list[tuple[str, str]]:
    """Show the value at the trigger; what follows is for plots, and `health` tells its changes."""
    is_shown = event.fields["phase"] == "before" and event.fields["value"] is not None
    return [("", f"  {event.message}")] if is_shown else []


def _hand_over(event: Event) -> list[tuple[str, str]]:
    return [("", f"note: {event.message}"), ("", event.fields["command"])]


def _more(fields: Any) -> list[tuple[str, str]]:
    detail = [("", f"  {fields['detail']}")] if fields["detail"] else []
    return detail + ([("dim", f"  remedy: {fields['remedy']}")] if fields["remedy"] else [])


def _blocked(event: Event) -> list[tuple[str, str]]:
    fields = event.fields
    lines = [("bold red", f"ERROR: {event.message}")]
    lines.append(("", f"  {fields['id']}" + (f": {fields['detail']}" if fields["detail"] else "")))
    lines.append(("", f"  remedy: {fields['remedy']}"))
    if not fields["acceptable"]:
        lines.append(("dim", "  this cannot be accepted"))
    elif fields["risk"]:
        lines.append(("", f"  risk of going on: {fields['risk']}"))
    return lines


def _outcome(event: Event) -> list[tuple[str, str]]:
    is_error, remedy = _is_error(event), event.fields["remedy"]
    first = ("bold red", f"ERROR: {event.message}") if is_error else ("bold green", event.message)
    return [first, *([("", f"  {remedy}")] if remedy else [])]


_SHAPES: dict[str, Callable[[Event], list[tuple[str, str]]]] = {
    "finding": _finding,
    "skipped": _skipped,
    "cause": _cause,
    "diff": _diff,
    "logs": _logs,
    "health": _health,
    "metric": _metric,
    "hand_over": _hand_over,
    "blocked": _blocked,
    "outcome": _outcome,
}


def _is_error(event: Event) -> bool:
    fields = event.fields
    is_outcome = event.kind == "outcome"
    return is_outcome and fields["exit"] != 0 and fields["result"] != Result.PROGRESSING


def _request(line: RequestLine) -> str:
    status = line.status if line.status is not None else "no answer"
    return untrusted(
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
