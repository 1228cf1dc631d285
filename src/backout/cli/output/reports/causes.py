"""The causes of an incident for a page: each once, with the Pods that share it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.cli.output.reports.words import Badge
from backout.core.events.trouble import halves, trouble

if TYPE_CHECKING:
    from backout.core.events.trouble import Trouble
    from backout.core.report.incident import CauseRow, Incident


class SharedCause(Struct, frozen=True, kw_only=True):
    """A cause of several Pods, told once; `weight` says how far it is to blame."""

    first: CauseRow
    message: str
    weight: Badge


def causes(incident: Incident) -> list[SharedCause]:
    """Return the causes, those of several Pods that differ in nothing but the Pod as one."""
    groups: dict[Trouble, list[CauseRow]] = {}
    for one in incident.causes:
        groups.setdefault(trouble(one.code, one.message, final=one.final), []).append(one)
    return [_shared(incident, rows) for rows in groups.values()]


def _shared(incident: Incident, rows: list[CauseRow]) -> SharedCause:
    first, count = rows[0], len(rows)
    _, rest = halves(first.message)
    message = first.message if count == 1 else f"{count} Pods: {rest}"
    return SharedCause(first=first, message=message, weight=_weight(incident, rest, first))


def _weight(incident: Incident, rest: str, cause: CauseRow) -> Badge:
    """Return how far a cause is to blame: what a verdict names was not only suspected."""
    ended = incident.ended
    is_named = cause.code in ended.message or (bool(rest) and rest in ended.message)
    if cause.final:
        return Badge(word="certain", tone="bad")
    if ended.result == "failed" and is_named:
        return Badge(word="blamed by the verdict", tone="bad")
    if ended.result == "succeeded":
        return Badge(word="passed", tone="plain")
    return Badge(word="suspected", tone="warn")
