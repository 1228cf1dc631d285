"""Journal lines -> the incident. Kinds that are not known stay rows: newer journals are told, too.

A journal is a file that anybody may have cut or edited: a field of another type than ours is left
out, and stops nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backout.core.report import incident as values
from backout.core.report.incident import (
    ChoiceRow,
    Ended,
    FindingRow,
    Incident,
    JournalLine,
    Moment,
    Unchecked,
)
from backout.core.report.runs import Line, moment_of, object_of, trace_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_SHARED = {"time", "event", "message", "traceID", "object", "op"}


def incident(lines: Sequence[Line], gaps: tuple[str, ...] = ()) -> Incident:
    """Return the incident of one run's lines, of which there is at least one."""
    zero = moment_of(_first(lines, "triggered") or lines[0])
    rows = tuple(_row(line, zero) for line in lines)
    about = _fields(rows, "context")
    return Incident(
        trace_id=trace_of(lines[0]),
        operation=next((str(line["op"]) for line in reversed(lines) if line.get("op")), ""),
        object=object_of(lines[0]),
        command=_text(about, "command"),
        actor=_text(about, "actor"),
        host=_text(about, "host"),
        context=_text(about, "context"),
        server=_text(about, "server"),
        version=_text(about, "version"),
        moments=_moments(rows),
        choice=_choice(rows),
        findings=tuple(_finding(r) for r in _last_plan(rows) if r.kind in {"finding", "blocked"}),
        unchecked=tuple(_unchecked(r) for r in _last_plan(rows) if r.kind == "skipped"),
        replicas=tuple(_replicas(r) for r in rows if r.kind == "replicas"),
        health=tuple(_health(r) for r in rows if r.kind in {"health", "sample"}),
        metrics=tuple(m for r in rows if r.kind == "metric" and (m := _metric(r)) is not None),
        causes=_causes(rows),
        logs=tuple(_logs(r) for r in rows if r.kind == "logs"),
        digests=_mapping(_fields(rows, "rolled_out"), "images"),
        ended=_ended(rows),
        rows=rows,
        gaps=gaps,
    )


def _first(lines: Sequence[Line], kind: str) -> Line | None:
    return next((line for line in lines if line["event"] == kind), None)


def _row(line: Line, zero: datetime) -> JournalLine:
    at = moment_of(line)
    return JournalLine(
        at=at.isoformat(timespec="milliseconds"),
        seconds=round((at - zero).total_seconds(), 3),
        kind=line["event"],
        message=_text(line, "message"),
        fields={str(k): v for k, v in line.items() if k not in _SHARED},
    )


def _last_plan(rows: Sequence[JournalLine]) -> Sequence[JournalLine]:
    """Return the rows from the last plan on: one that went stale before it was told as well."""
    starts = [place for place, row in enumerate(rows) if row.kind == "target"]
    return rows[starts[-1] :] if starts else rows


def _moments(rows: Sequence[JournalLine]) -> tuple[Moment, ...]:
    """Return what is looked for first, in the order in which it happened."""
    ended = _ended(rows)
    found = [("started", rows[0])]
    for name, kind in (("triggered", "triggered"), ("patched", "patched")):
        found += [(name, r) for r in rows if r.kind == kind][:1]
    complete = [r for r in rows if r.kind == "progress" and r.fields.get("complete") is True]
    held = [r for r in rows if r.kind == "rolled_out"]
    found += [("rolled out", r) for r in (complete or held)[-1:]]
    if ended.health == "Healthy":
        found += [("recovered", r) for r in held[-1:]]
    found += [("closed", r) for r in rows if r.kind == "outcome"][-1:]
    return tuple(Moment(name=name, at=r.at, seconds=r.seconds) for name, r in found)


def _choice(rows: Sequence[JournalLine]) -> ChoiceRow:
    plan = _last_plan(rows)
    target = next((r for r in plan if r.kind == "target"), None)
    source = next((r for r in reversed(rows) if r.kind == "workload"), None)
    fields = target.fields if target is not None else {}
    proven = fields.get("proven")
    return ChoiceRow(
        source=_text(source.fields, "revision") if source is not None else "",
        revision=_text(fields, "revision"),
        message=target.message if target is not None else "",
        why=_text(fields, "why"),
        proven=proven if isinstance(proven, bool) else None,
        images=_mapping(fields, "images"),
        passed_over=tuple(r.message for r in plan if r.kind in {"passed_over", "kubectl"}),
    )


def _finding(row: JournalLine) -> FindingRow:
    return FindingRow(
        id=_text(row.fields, "id"),
        severity="BLOCK" if row.kind == "blocked" else _text(row.fields, "severity"),
        message=row.message,
        detail=_text(row.fields, "detail"),
        remedy=_text(row.fields, "remedy"),
        accepted=row.fields.get("accepted") is True,
        reason=_text(row.fields, "reason"),
    )


def _unchecked(row: JournalLine) -> Unchecked:
    return Unchecked(ids=_texts(row.fields, "ids"), message=row.message)


def _replicas(row: JournalLine) -> values.Replicas:
    names = ("wanted", "updated", "ready", "available", "old", "old_ready")
    return values.Replicas(
        seconds=row.seconds, **{n: max(0, _whole(row.fields, n) or 0) for n in names}
    )


def _health(row: JournalLine) -> values.HealthSample:
    return values.HealthSample(
        seconds=row.seconds,
        subject=_text(row.fields, "subject"),
        message=row.message,
        answer=_text(row.fields, "answer"),
        status=_whole(row.fields, "status"),
        milliseconds=_number(row.fields, "milliseconds"),
    )


def _metric(row: JournalLine) -> values.MetricValue | None:
    value = _number(row.fields, "value")
    if value is None:
        return None
    return values.MetricValue(
        seconds=row.seconds,
        metric=_text(row.fields, "metric"),
        value=value,
        threshold=_number(row.fields, "threshold"),
    )


def _causes(rows: Sequence[JournalLine]) -> tuple[values.CauseRow, ...]:
    """Return each cause of each subject once, as it was told last: suspected, perhaps final."""
    found: dict[tuple[str, str], values.CauseRow] = {}
    for row in rows:
        if row.kind == "cause":
            cause = _cause(row)
            found[cause.code, cause.message.partition(": ")[0]] = cause
    return tuple(sorted(found.values(), key=lambda c: not c.final))


def _cause(row: JournalLine) -> values.CauseRow:
    return values.CauseRow(
        seconds=row.seconds,
        code=_text(row.fields, "code"),
        message=row.message,
        evidence=_text(row.fields, "evidence"),
        remedy=_text(row.fields, "remedy"),
        final=row.fields.get("final") is True,
    )


def _logs(row: JournalLine) -> values.LogLines:
    return values.LogLines(message=row.message, lines=_texts(row.fields, "lines"))


def _ended(rows: Sequence[JournalLine]) -> Ended:
    last = next((r for r in reversed(rows) if r.kind == "outcome"), None)
    if last is None:
        return Ended()
    texts = {name: _text(last.fields, name) for name in ("result", "verdict", "health", "remedy")}
    return Ended(message=last.message, exit=_whole(last.fields, "exit"), **texts)


def _fields(rows: Sequence[JournalLine], kind: str) -> Mapping[str, Any]:
    return next((r.fields for r in reversed(rows) if r.kind == kind), {})


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _mapping(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    value = fields.get(name)
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 2**1000 and math.isfinite(value) else None


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    value = _number(fields, name)
    return int(value) if value is not None and abs(value) < 2**31 else None
