"""Geometry of the plots: incident -> places in per cent. Drawing them is the template's part.

The shapes are an SVG stretched over its box, every word is HTML beside them: at 360 px nothing
shrinks with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backout.core.report.incident import Incident, MetricValue, Replicas

HEIGHT = 100.0
TICKS = 5
_STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_DAY = 86400.0
_MOMENTS = ("triggered", "rolled out", "recovered", "closed")
_RIGHT_HALF = 55.0
"""Per cent from which on a word stands left of its line, to stay on the page."""


class Mark(Struct, frozen=True, kw_only=True):
    """Something at a place, with its words; `level` keeps the words of two from touching."""

    place: float
    label: str
    kind: str = ""
    level: int = 0
    is_right: bool = False


class Area(Struct, frozen=True, kw_only=True):
    """One band of the replica plot as an SVG path."""

    kind: str
    path: str


class Strip(Struct, frozen=True, kw_only=True):
    """One subject's answers, or one metric's line, over the same time."""

    label: str
    marks: tuple[Mark, ...] = ()
    path: str = ""
    threshold: float | None = None
    highest: str = ""
    lowest: str = ""


class Plot(Struct, frozen=True, kw_only=True):
    """All that is drawn. `summary` says it in words for who cannot see it."""

    areas: tuple[Area, ...]
    wanted: str
    levels: tuple[Mark, ...]
    moments: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    health: tuple[Strip, ...]
    metrics: tuple[Strip, ...]
    summary: str


def plot(incident: Incident) -> Plot | None:
    """Return the plot; None where the journal holds no replica counts."""
    replicas = incident.replicas
    if not replicas:
        return None
    start = min(0.0, replicas[0].seconds)
    end = max(start + 1.0, *(row.seconds for row in incident.rows))
    highest = max(1, *(max(r.wanted, r.updated + r.old) for r in replicas))

    def across(seconds: float) -> float:
        return round(100.0 * min(1.0, max(0.0, (seconds - start) / (end - start))), 2)

    def down(count: float) -> float:
        return round(HEIGHT * (1.0 - count / highest), 2)

    return Plot(
        areas=_areas(replicas, across, down),
        wanted=_line([(across(r.seconds), down(r.wanted)) for r in replicas]),
        levels=tuple(Mark(place=down(n), label=str(n)) for n in _levels(highest)),
        moments=_moments(incident, across),
        ticks=_ticks(start, end, across),
        health=_health(incident, across),
        metrics=_metrics(incident, across),
        summary=_summary(replicas),
    )


def unplotted(incident: Incident) -> str:
    """Return why a rollout that was watched has no plot; empty where it was not watched."""
    notes = (row for row in incident.rows if row.kind == "note")
    return next((row.message for row in notes if row.fields.get("unwatched") == "pods"), "")


def _areas(
    replicas: Sequence[Replicas],
    across: Callable[[float], float],
    down: Callable[[float], float],
) -> tuple[Area, ...]:
    """Return the bands from the ground up: Ready of the target, its others, Ready and other old."""
    kinds = ("ready", "starting", "old-ready", "old")
    floors = [0] * len(replicas)
    places = [across(r.seconds) for r in replicas]
    found = []
    for kind in kinds:
        tops = [floor + _count(r, kind) for floor, r in zip(floors, replicas, strict=True)]
        if tops != floors:
            upper = _steps([(x, down(top)) for x, top in zip(places, tops, strict=True)])
            lower = _steps([(x, down(floor)) for x, floor in zip(places, floors, strict=True)])
            found.append(Area(kind=kind, path=_closed([*upper, *reversed(lower)])))
        floors = tops
    return tuple(found)


def _count(one: Replicas, kind: str) -> int:
    return {
        "ready": one.ready,
        "starting": max(0, one.updated - one.ready),
        "old-ready": one.old_ready,
        "old": max(0, one.old - one.old_ready),
    }[kind]


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of a step line: each value holds until the next, the last to the end."""
    found: list[tuple[float, float]] = []
    for x, y in points:
        if found:
            found.append((x, found[-1][1]))
        found.append((x, y))
    return [*found, (100.0, found[-1][1])]


def _closed(points: Sequence[tuple[float, float]]) -> str:
    return _joined(points) + " Z"


def _line(points: Sequence[tuple[float, float]]) -> str:
    return _joined(_steps(points))


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:g},{y:g}" for x, y in points)


def _levels(highest: int) -> list[int]:
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if highest / s <= 4), highest)  # noqa: PLR2004
    return list(range(0, highest + 1, step))


def _moments(incident: Incident, across: Callable[[float], float]) -> tuple[Mark, ...]:
    shown = [m for name in _MOMENTS if (m := incident.moment(name)) is not None]
    if len(shown) > 1 and shown[-1].name == "closed" and shown[-2].name == "recovered":
        shown.pop()
    return tuple(
        Mark(
            place=across(m.seconds),
            label=f"{m.name} {duration(m.seconds)}" if m.seconds else m.name,
            level=level,
            is_right=across(m.seconds) > _RIGHT_HALF,
        )
        for level, m in enumerate(shown)
    )


def _ticks(start: float, end: float, across: Callable[[float], float]) -> tuple[Mark, ...]:
    length = end - start
    step = next((s for s in _STEPS if length / s <= TICKS), _DAY * max(1.0, length // _DAY))
    first = 0 if start <= 0 else int(start // step) + 1
    count = int(end // step)
    return tuple(
        Mark(place=across(n * step), label=duration(n * step)) for n in range(first, count + 1)
    )


def _health(incident: Incident, across: Callable[[float], float]) -> tuple[Strip, ...]:
    subjects = dict.fromkeys(s.subject for s in incident.health)
    return tuple(
        Strip(
            label=subject or "health",
            marks=tuple(
                Mark(place=across(s.seconds), label=s.message, kind=_answer(s.answer))
                for s in incident.health
                if s.subject == subject
            ),
        )
        for subject in subjects
    )


def _answer(word: str) -> str:
    return word if word in {"well", "unwell"} else "unknown"


def _metrics(incident: Incident, across: Callable[[float], float]) -> tuple[Strip, ...]:
    names = dict.fromkeys(m.metric for m in incident.metrics)
    return tuple(_metric([m for m in incident.metrics if m.metric == n], across) for n in names)


def _metric(values: Sequence[MetricValue], across: Callable[[float], float]) -> Strip:
    limits = [m.threshold for m in values if m.threshold is not None]
    lowest = min([m.value for m in values] + limits + [0.0])
    highest = max([m.value for m in values] + limits)
    room = (highest - lowest) or 1.0

    def down(value: float) -> float:
        return round(95.0 - 90.0 * ((value - lowest) / room), 2)

    points = [(across(m.seconds), down(m.value)) for m in values]
    threshold = limits[-1] if limits else None
    words = f" (threshold {threshold:g})" if threshold is not None else ""
    return Strip(
        label=f"{values[-1].metric or 'metric'}: {values[-1].value:g}{words}",
        path=_joined([*points, (points[-1][0] + 0.01, points[-1][1])]),
        threshold=down(threshold) if threshold is not None else None,
        highest=f"{highest:g}",
        lowest=f"{lowest:g}",
    )


def _summary(replicas: Sequence[Replicas]) -> str:
    first, last = replicas[0], replicas[-1]
    return (
        f"Pods over time. At first {first.ready} of the target and {first.old_ready} of other "
        f"revisions were Ready; at last {last.ready} of the target, of {last.wanted} wanted, and "
        f"{last.old_ready} of others."
    )


def duration(seconds: float) -> str:
    """Return a time from the trigger: `0 s`, `+1.4 s`, `+2 min 05 s`, `-0.1 s`."""
    sign = "" if round(seconds, 1) == 0 else "-" if seconds < 0 else "+"
    return sign + length(abs(seconds))


def length(seconds: float) -> str:
    """Return a length of time: `0 s`, `0.4 s`, `35 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 9.95 and round(seconds, 1) != round(seconds):  # noqa: PLR2004
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
