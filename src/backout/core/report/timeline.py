"""The events of one run -> the incident. Kinds that are not known stay rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from backout.core.events.acting import PatchLanded, Triggered
from backout.core.events.planning import (
    AlertsRead,
    AskedBefore,
    Began,
    Blocked,
    FindingMade,
    KubectlDiffers,
    Located,
    NotChecked,
    PassedOver,
    TargetChosen,
)
from backout.core.events.told import RunEnded
from backout.core.events.trouble import halves
from backout.core.events.watching import (
    Counted,
    HealthAnswered,
    LogRead,
    Measured,
    Moved,
    NotReady,
    RolledOut,
)
from backout.core.report import incident as values
from backout.core.report.incident import (
    AlertRow,
    ChoiceRow,
    CommandRow,
    Ended,
    FindingRow,
    Incident,
    JournalLine,
    Moment,
    Unchecked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from backout.core.events.event import Event
    from backout.core.events.lines import Line

E = TypeVar("E", bound="Event")
_NOTHING = Began(message="", server="", context="", actor="", host="", version="", command="")


class _Timed(Struct, frozen=True, kw_only=True):
    """An event, with the seconds from the trigger."""

    at: datetime
    seconds: float
    event: Event


def incident(lines: Sequence[Line], gaps: tuple[str, ...] = ()) -> Incident:
    """Return the incident of these lines, of which there is at least one."""
    triggered = (line for line in lines if isinstance(line.event, Triggered))
    zero = next(triggered, lines[0]).time
    rows = tuple(_row(line, zero) for line in lines)
    plan = _last_plan(rows)
    about = next((event for _, event in _every(rows, Began)), _NOTHING)
    held = _last(rows, RolledOut)
    return Incident(
        trace_id=lines[0].about.trace_id,
        operation=next((line.about.op for line in lines if line.about.op), ""),
        object=lines[0].about.object,
        commands=tuple(_commands(lines)),
        alerts=tuple(_alerts(rows)),
        command=about.command,
        actor=about.actor,
        host=about.host,
        context=about.context,
        server=about.server,
        version=about.version,
        moments=_moments(rows),
        choice=_choice(rows),
        findings=tuple(_finding(r.event) for r in plan if isinstance(r.event, _FINDINGS)),
        unchecked=tuple(_unchecked(event) for _, event in _every(plan, NotChecked)),
        replicas=tuple(_replicas(at, event) for at, event in _every(rows, Counted)),
        before=tuple(_health(at, event) for at, event in _every(plan, AskedBefore)),
        health=tuple(_health(at, event) for at, event in _every(rows, HealthAnswered)),
        metrics=tuple(_metrics(rows)),
        causes=_causes(rows),
        logs=_logs(rows),
        digests=held.images if held is not None else {},
        ended=_ended(rows),
        rows=tuple(_told(row) for row in rows),
        gaps=gaps,
    )


_FINDINGS = (FindingMade, Blocked)


def _commands(lines: Sequence[Line]) -> Iterator[CommandRow]:
    for line in lines:
        if isinstance(line.event, Began):
            yield CommandRow(
                at=line.time.isoformat(timespec="milliseconds"),
                trace_id=line.about.trace_id,
                command=line.event.command,
                line=line.event.line,
                reason=line.event.reason,
                actor=line.event.actor,
                host=line.event.host,
            )


def _alerts(rows: Sequence[_Timed]) -> Iterator[AlertRow]:
    """Give the alerts of the last look at them, those about the workload first."""
    last = _last(rows, AlertsRead)
    found = [_alert(one) for one in last.alerts] if last is not None else []
    yield from sorted(found, key=lambda one: not one.is_about)


def _alert(given: Mapping[str, Any]) -> AlertRow:
    labels, since = given.get("labels"), given.get("since")
    words = labels if isinstance(labels, Mapping) else {}
    return AlertRow(
        name=str(given.get("name") or ""),
        since=since if isinstance(since, str) else "",
        summary=", ".join(
            f"{name}={value}" for name, value in words.items() if name != "alertname"
        ),
        is_about=given.get("workload") is True,
    )


def _row(line: Line, zero: datetime) -> _Timed:
    seconds = round((line.time - zero).total_seconds(), 3)
    return _Timed(at=line.time, seconds=seconds, event=line.event)


def _told(row: _Timed) -> JournalLine:
    return JournalLine(
        at=_at(row),
        seconds=row.seconds,
        kind=row.event.kind,
        message=row.event.message,
        fields=row.event.fields,
    )


def _at(row: _Timed) -> str:
    return row.at.isoformat(timespec="milliseconds")


def _every(rows: Sequence[_Timed], kind: type[E]) -> Iterator[tuple[float, E]]:
    """Give the events of a kind, each with its second."""
    for row in rows:
        if isinstance(row.event, kind):
            yield row.seconds, row.event


def _last(rows: Sequence[_Timed], kind: type[E]) -> E | None:
    return next((r.event for r in reversed(rows) if isinstance(r.event, kind)), None)


def _last_plan(rows: Sequence[_Timed]) -> Sequence[_Timed]:
    """Return the rows from the last plan on: one that went stale before it was told as well."""
    starts = [place for place, row in enumerate(rows) if isinstance(row.event, TargetChosen)]
    return rows[starts[-1] :] if starts else rows


def _moments(rows: Sequence[_Timed]) -> tuple[Moment, ...]:
    """Return what is looked for first, in the order in which it happened."""
    found = [("started", rows[0])]
    found += [("triggered", r) for r in rows if isinstance(r.event, Triggered)][:1]
    found += [("patched", r) for r in rows if isinstance(r.event, PatchLanded)][:1]
    complete = [r for r in rows if isinstance(r.event, Moved) and r.event.complete]
    held = [r for r in rows if isinstance(r.event, RolledOut)]
    found += [("rolled out", r) for r in (complete or held)[-1:]]
    if _ended(rows).health == "Healthy":
        found += [("recovered", r) for r in held[-1:]]
    found += [("closed", r) for r in rows if isinstance(r.event, RunEnded)][-1:]
    return tuple(Moment(name=name, at=_at(r), seconds=r.seconds) for name, r in found)


def _choice(rows: Sequence[_Timed]) -> ChoiceRow:
    plan = _last_plan(rows)
    located = _last(rows, Located)
    source = located.revision if located is not None else None
    passed = (r.event.message for r in plan if isinstance(r.event, (PassedOver, KubectlDiffers)))
    chosen = ChoiceRow(
        source="" if source is None else str(source),
        source_images=located.images if located is not None else {},
        images={},
        passed_over=tuple(passed),
    )
    target = next((event for _, event in _every(plan, TargetChosen)), None)
    if target is None:
        return chosen
    return replace(
        chosen,
        revision=str(target.revision),
        message=target.message,
        why=target.why,
        proven=target.proven,
        images=target.images,
    )


def _finding(event: Event) -> FindingRow:
    match event:
        case Blocked(id=one, detail=detail, remedy=remedy):
            severity, accepted, reason = "BLOCK", False, ""
        case FindingMade(id=one, detail=detail, remedy=remedy):
            severity, accepted, reason = event.severity, event.accepted, event.reason
        case _:
            raise TypeError(event.kind)
    return FindingRow(
        id=one,
        severity=severity,
        message=event.message,
        detail=detail,
        remedy=remedy,
        accepted=accepted,
        reason=reason,
    )


def _unchecked(event: NotChecked) -> Unchecked:
    return Unchecked(ids=event.ids, message=event.message)


def _replicas(at: float, event: Counted) -> values.Replicas:
    return values.Replicas(
        seconds=at,
        wanted=max(0, event.wanted),
        updated=max(0, event.updated),
        ready=max(0, event.ready),
        available=max(0, event.available),
        old=max(0, event.old),
        old_ready=max(0, event.old_ready),
    )


def _health(at: float, event: HealthAnswered | AskedBefore) -> values.HealthSample:
    return values.HealthSample(
        seconds=at,
        subject=event.subject,
        message=event.message,
        answer=event.answer,
        status=event.status,
        milliseconds=event.milliseconds,
    )


def _metrics(rows: Sequence[_Timed]) -> Iterator[values.MetricValue]:
    for at, event in _every(rows, Measured):
        if event.value is not None:
            yield values.MetricValue(
                seconds=at, metric=event.metric, value=event.value, threshold=event.threshold
            )


def _causes(rows: Sequence[_Timed]) -> tuple[values.CauseRow, ...]:
    """Return each cause of each subject once, as it was told last: suspected, perhaps final."""
    found: dict[tuple[str, str], values.CauseRow] = {}
    for at, event in _every(rows, NotReady):
        found[event.code, halves(event.message)[0]] = values.CauseRow(
            seconds=at,
            code=event.code,
            message=event.message,
            evidence=event.evidence,
            remedy=event.remedy,
            final=event.final,
        )
    return tuple(sorted(found.values(), key=lambda c: not c.final))


def _logs(rows: Sequence[_Timed]) -> tuple[values.LogLines, ...]:
    """Return what logs said, each once: whoever goes on with a rollback reads them again."""
    read = (event for _, event in _every(rows, LogRead))
    return tuple(
        values.LogLines(message=message, lines=lines)
        for message, lines in dict.fromkeys((one.message, one.lines) for one in read)
    )


def _ended(rows: Sequence[_Timed]) -> Ended:
    """Return the last word; none where the last command has not said it."""
    ends = (r.event for r in reversed(rows) if isinstance(r.event, (Began, RunEnded)))
    last = next(ends, None)
    if not isinstance(last, RunEnded):
        return Ended()
    return Ended(
        message=last.message,
        result=last.result,
        exit=last.exit,
        verdict=last.verdict,
        health=last.health,
        remedy=last.remedy,
    )
