"""The lines that people read of an event, as it happens. What only reports are made of has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.output.words.layout import COMMAND, Shown, facts
from backout.core.events import acting, planning, told, watching
from backout.core.health.judgement import Answer
from backout.core.images.names import short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.events.event import Event

FOUND = (planning.FindingMade, planning.NotChecked)
TO_STDERR = (
    *FOUND,
    planning.HandedOver,
    planning.AlertsRead,
    acting.LockAwaited,
    told.Noted,
    told.Warned,
)
_SIDES = {"-": "red", "+": "green"}
_PREFIXES: dict[type[Event], tuple[str, str]] = {
    acting.Triggered: ("bold", ""),
    told.Warned: ("yellow", "WARN: "),
    told.Noted: ("", "note: "),
    planning.Began: ("dim", ""),
    planning.Checked: ("dim", ""),
    planning.AlertsRead: ("", "note: "),
}


def lines(event: Event, bar: str) -> list[Shown]:
    """Return an event's lines; `bar` stands before what somebody else has written."""
    if _is_silent(event):
        return []
    message = event.message
    match event:
        case planning.FindingMade() | planning.NotChecked():
            return _findings(event)
        case watching.NotReady(final=final, code=code):
            label = "cause" if final else "suspect"
            return [Shown(f"{message} [{code}]", "yellow", label)]
        case planning.Compared(lines=compared):
            quoted = [one for s in compared for one in quote([s], bar, _SIDES.get(s[:1], ""), 0)]
            return [Shown(message, "bold"), *quoted]
        case watching.LogRead(lines=said):
            return [Shown(message, label="log"), *quote(said, bar, "dim")]
        case watching.HealthAnswered(answer=answer, lines=said):
            shown = said if answer != Answer.WELL else ()
            return [Shown(message, label="health"), *quote(shown, bar, "dim")]
        case planning.HandedOver(command=command):
            return [Shown(f"note: {message}"), Shown(command, whole=True, longest=COMMAND)]
        case _:
            return _of_the_plan(event) or _plain(event)


def _of_the_plan(event: Event) -> list[Shown]:
    """Return where it stands and where it will go: a fact a line, under short labels."""
    message = event.message
    match event:
        case planning.Located():
            return facts(message, "", "now")
        case planning.TargetChosen(revision=number, why=why, images=images, changes=changes):
            named = ", ".join(dict.fromkeys(map(short, images.values())))
            # Of the message only the cause of the change is in no field.
            cause = message.partition("; change-cause: ")[2]
            lines = [Shown(f"revision {number} ({named})", "bold", "target")]
            lines += facts(why, "", "")
            lines += [Shown(f"change-cause: {cause}", "dim", "")] if cause else []
            return lines + [Shown(s, "", "" if n else "changes") for n, s in enumerate(changes)]
        case planning.AskedBefore():
            return [Shown(message.removeprefix("service "), label="service")]
        case planning.PassedOver() | planning.KubectlDiffers() | planning.ImagesPinned():
            return [Shown(message, "dim", "note")]
        case watching.Measured():
            return [Shown(message, label="metric")]
        case _:
            return []


def _plain(event: Event) -> list[Shown]:
    style, prefix = _PREFIXES.get(type(event), ("", ""))
    # Scripts look for the announcement and for kubectl's words: neither is ever broken.
    whole = isinstance(event, (acting.Triggered, watching.RolledOut))
    return [Shown(f"{prefix}{event.message}", style, whole=whole)]


def _is_silent(event: Event) -> bool:
    match event:
        case watching.Measured(phase=phase, value=value):
            # What follows the value at the trigger is for plots: `health` tells its changes.
            return phase != "before" or value is None
        case acting.PatchLanded() | watching.Counted() | watching.HealthRepeated():
            return True
        case _:
            return False


def _findings(event: planning.FindingMade | planning.NotChecked) -> list[Shown]:
    match event:
        case planning.FindingMade(message=message, id=one, detail=detail, remedy=remedy):
            weight = "accepted" if event.accepted else event.severity
            style = "" if event.severity == "INFO" else "yellow"
            is_fixed = remedy and not event.accepted
            more = [Shown(f"fix: {remedy}", "dim", indent=2)] if is_fixed else []
            found = Shown(f"{weight} {one}: {message}", style, prose=True)
            return [found, *under(detail), *more]
        case planning.NotChecked(message=message, ids=ids, remedy=remedy):
            why = message.removeprefix("not checked: ")
            return [Shown(f"skipped {', '.join(ids)}: {why}", "dim"), *under(remedy)]


def under(words: str) -> list[Shown]:
    """Return words below a line, none where there are none."""
    return [Shown(words, indent=2)] if words else []


def quote(said: Iterable[str], bar: str, style: str, indent: int = 2) -> list[Shown]:
    """Return other people's lines.

    The bar keeps CI runners from taking one for a command of theirs.
    """
    return [Shown(f"{bar} {line}", style, indent=indent, whole=True) for line in said]
