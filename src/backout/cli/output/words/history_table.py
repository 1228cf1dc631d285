"""The history in words, cells and JSON; all of it untrusted text still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.cli.output.words import ledger_table
from backout.core.images.names import short
from backout.core.kubernetes import objects
from backout.core.spans import span, words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from backout.core.ledger.records import Record
    from backout.core.model import Revision
    from backout.core.plan.listing import HistoryRow, HistoryTable

HEADER = ("", "REVISION", "AGE", "FROM (UTC)", "FOR", "READY", "IMAGE", "STATUS")
WIDE = (*HEADER[:-1], "NAME", "CHANGE-CAUSE", "STATUS")
UNTOLD = "?"
"""Stands where it cannot be told when, or for how long, a revision was the current one."""
LEGEND = f"{UNTOLD}: not known, as Kubernetes has used the number again or the next one is missing"
CURRENT, TARGET = "*", ">"


def cells(row: HistoryRow, now: datetime, *, is_wide: bool = False) -> tuple[str, ...]:
    """Return the cells of a revision, in the order of `HEADER`, or of `WIDE`."""
    one = row.revision
    first = (
        CURRENT if one.is_current else TARGET if row.is_target else "",
        str(one.number) if one.is_numbered else "-",
        words(row.age) if row.age is not None else UNTOLD,
        _moment(row.current_from, now),
        words(row.current_for) if row.current_for is not None else UNTOLD,
        str(one.ready),
        ", ".join(_images(row, is_wide=is_wide)) or "-",
    )
    if not is_wide:
        return (*first, status(row, with_cause=True))
    return (*first, objects.name(one.stored), one.change_cause or "-", status(row))


def has_untold(told: HistoryTable) -> bool:
    """Tell whether some cell needs the legend."""
    return any(r.current_from is None or r.current_for is None for r in told.rows)


def status(row: HistoryRow, *, with_cause: bool = False) -> str:
    """Return what is known of a revision, the most important first; `-` where nothing is."""
    one = row.revision
    said = [
        "now" if one.is_current else "undo goes here" if row.is_target else "",
        f"bad: {row.bad}" if row.bad else row.good,
        "only restarts what runs now" if row.is_restart else "",
        f"barrier: {row.barrier}" if row.barrier else "",
        _earlier(one),
        f"change-cause: {one.change_cause}" if with_cause and one.change_cause else "",
    ]
    return "; ".join(s for s in said if s) or "-"


def _earlier(one: Revision) -> str:
    """Return the numbers that it had before; of some kinds it is only known that there was one."""
    numbers = ", ".join(n for n in one.earlier if n)
    return f"was {numbers}" if numbers else "had another number" if one.earlier else ""


def notes(told: HistoryTable) -> list[str]:
    """Return what else is to be said of a history, a sentence a line: the choice first."""
    lines = [] if told.is_observed else [UNOBSERVED]
    choice = told.choice
    if choice is None:
        lines.append(f"undo would not choose any revision: {told.why}")
    else:
        lines.append(f"undo would go to revision {choice.revision.number}: {told.why}")
        lines += [f"  not chosen: revision {n}, {why}" for n, why in choice.passed_over]
    there = choice.revision.number if choice is not None else None
    if told.kubectl is not None and told.kubectl != there:
        bad = {row.revision.number for row in told.rows if row.bad}
        which = ", which is known to be bad" if told.kubectl in bad else ""
        lines.append(f"kubectl rollout undo would go to revision {told.kubectl}{which}")
    lines += [f"not read: {need}: {why}" for need, why in told.unreadable.items()]
    return lines


UNOBSERVED = "the controller has not seen the newest change yet: this history may be one too old"


def rollbacks(told: HistoryTable) -> list[str]:
    """Return the rollbacks on record, newest first, a line each."""
    history = [r.revision for r in told.rows]
    return [_rollback(one, history, told.now) for one in told.rollbacks]


def _rollback(one: Record, history: list[Revision], now: datetime) -> str:
    source, there = (ledger_table.side(s, history) for s in (one.source, one.destination))
    ended = ledger_table.result(one)
    reason = f": {one.reason}" if one.reason else ""
    ago = span(now, since=one.intent_at)
    return f"{ago} ago: {source} -> {there}, {ended}, by {one.actor}{reason} (trace {one.trace_id})"


def as_json(row: HistoryRow) -> dict[str, Any]:
    """Return a revision for a program; null where something cannot be told, spans in seconds."""
    one = row.revision
    return {
        "revision": one.number if one.is_numbered else None,
        "current": one.is_current,
        "target": row.is_target,
        "name": objects.name(one.stored),
        "created": _stamp(one.created),
        "currentFrom": _stamp(row.current_from),
        "currentFor": _seconds(row.current_for),
        "ready": one.ready,
        "images": dict(row.images),
        "digests": dict(row.digests),
        "healthy": row.good,
        "bad": row.bad,
        "changeCause": one.change_cause,
        "barrier": row.barrier,
        "onlyRestarts": row.is_restart,
        "renumbered": bool(one.earlier),
        "earlier": [n for n in one.earlier if n],
        "hash": one.hash,
    }


def summary(told: HistoryTable) -> dict[str, Any]:
    """Return what is to be said of the whole history, for a program."""
    choice = told.choice
    now = next((r.revision.number for r in told.rows if r.revision.is_current), None)
    passed: Mapping[int, str] = dict(choice.passed_over) if choice is not None else {}
    history = [r.revision for r in told.rows]
    return {
        "workload": told.target.reference,
        "current": now,
        "target": choice.revision.number if choice is not None else None,
        "why": told.why,
        "passedOver": [{"revision": n, "why": why} for n, why in passed.items()],
        "kubectl": told.kubectl,
        "observed": told.is_observed,
        "unreadable": dict(told.unreadable),
        "rollbacks": [ledger_table.as_json(one, history) for one in told.rollbacks],
    }


def _images(row: HistoryRow, *, is_wide: bool) -> list[str]:
    """Return the images, each once, with the digest that is known to have run."""
    told = []
    for container, image in row.images.items():
        name = image if is_wide else short(image)
        digest = row.digests.get(container, "").rpartition("sha256:")[2]
        known = digest if is_wide else digest[:12]
        told.append(f"{name}@{known}" if known and known not in name else name)
    return list(dict.fromkeys(told))


def _moment(at: datetime | None, now: datetime) -> str:
    if at is None:
        return UNTOLD
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def _stamp(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at is not None else None


def _seconds(length: timedelta | None) -> int | None:
    return int(length.total_seconds()) if length is not None else None
