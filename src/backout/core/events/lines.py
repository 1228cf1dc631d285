"""A line of the journal and of `-o json`: an event, when it was told, and by which run.

A journal is a file that anybody may have cut or edited, and older ones lack what newer ones have:
a field of another type than ours, or none, is as empty as its type can be, and stops nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import NODEFAULT, Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from backout.core.events import EVENTS
from backout.core.events.event import KIND, Event, kind_of

_LARGEST = 1e300
_EMPTY: tuple[Any, ...] = (None, "", False, 0, [], {})
_ABOUT = {"time", KIND, "message", "traceID", "object", "op"}


class About(Struct, frozen=True, kw_only=True):
    """Which run tells: its trace id, the workload, and the operation that marks its PATCH.

    `object` has `cluster`, `kind`, `namespace` and `name`; empty before it is known.
    """

    trace_id: str = ""
    object: Mapping[str, str] = {}
    op: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """An event of a run; `time` knows its zone."""

    time: datetime
    about: About
    event: Event


class UnknownEvent(Event, frozen=True, kw_only=True):
    """An event of a kind that this version does not know: another's journal is told, too."""

    name: str
    given: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What that journal calls it."""
        return self.name

    @property
    def fields(self) -> Mapping[str, Any]:
        """What that journal says of it."""
        return self.given


def written(told: Line) -> dict[str, Any]:
    """Return the line as JSON values, what all lines share first."""
    about = told.about
    shared = {"traceID": about.trace_id, "object": dict(about.object), "op": about.op}
    return {
        "time": told.time.isoformat(timespec="milliseconds"),
        KIND: told.event.kind,
        "message": told.event.message,
        **{name: value for name, value in shared.items() if value},
        **told.event.fields,
    }


def read(line: Mapping[str, Any]) -> Line:
    """Return what a line tells; raise ValueError, KeyError or TypeError where it is none."""
    time, kind = datetime.fromisoformat(line["time"]), line[KIND]
    if not isinstance(kind, str) or time.tzinfo is None:
        raise ValueError("a line says when, and what")
    about = About(
        trace_id=_text(line, "traceID"), object=_names(line.get("object")), op=_text(line, "op")
    )
    return Line(time=time, about=about, event=_event(kind, line))


def _event(kind: str, line: Mapping[str, Any]) -> Event:
    known = next((one for one in EVENTS if kind_of(one) == kind), None)
    if known is None:
        given = {str(name): value for name, value in line.items() if name not in _ABOUT}
        return UnknownEvent(message=_text(line, "message"), name=kind, given=given)
    return known(**{field.name: _value(line.get(field.name), field) for field in fields(known)})


def _value(given: Any, field: FieldInfo) -> Any:
    """Return what is given if it fits, else the default, else what is as empty as can be."""
    if given is not None and _fits(given, field.type):
        return convert(given, field.type)
    if not field.required:
        return field.default if field.default is not NODEFAULT else field.default_factory()
    return next(convert(empty, field.type) for empty in _EMPTY if _fits(empty, field.type))


def _fits(given: Any, expected: Any) -> bool:
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if is_number and not (-_LARGEST < given < _LARGEST and math.isfinite(given)):
        return False
    try:
        convert(given, expected)
    except ValidationError:
        return False
    return True


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


def _names(given: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}
