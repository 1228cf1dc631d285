"""What Prometheus answered -> one sample, and which alerts concern a workload.

No answer, no series, no number, an old one or a partial one is unknown: never well, never bad.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.health.judgement import Answer, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.health.promql import Metric
    from backout.core.kinds.target import Target

STALE = 60.0
"""Seconds after which a value says nothing about now."""
MOST_LABELS = 6


class Series(Struct, frozen=True, kw_only=True):
    """One value, stamped `at`, and how many seconds old it was by Prometheus' own clock."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0
    age: float = 0.0


class Vector(Struct, frozen=True, kw_only=True):
    """What an expression came to. `warnings` are Prometheus' own: something may be missing."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()

    def measured(self, times: Vector) -> Vector:
        """Return it with the ages that follow from when each series was measured."""
        known = {_bare(s.labels): s.value for s in times.series}
        aged = tuple(
            replace(s, age=max(s.age, s.at - known.get(_bare(s.labels), s.at))) for s in self.series
        )
        return replace(self, series=aged)


class NoAnswer(Struct, frozen=True, kw_only=True):
    """Prometheus did not say; `why`."""

    why: str


class Alert(Struct, frozen=True, kw_only=True):
    """One alert that fires. `since` as Prometheus wrote it."""

    name: str
    labels: Mapping[str, str]
    since: str = ""


def judged(metric: Metric, answer: Vector | NoAnswer) -> Sample:
    """Return the sample: well only where every series has a fresh, finite value that holds."""
    if isinstance(answer, NoAnswer):
        return _sample(metric, Answer.UNKNOWN, answer.why)
    if not answer.series:
        return _sample(metric, Answer.UNKNOWN, "no series: nothing was measured")
    usable = [s for s in answer.series if s.age <= STALE and not math.isnan(s.value)]
    bad = [s for s in usable if not metric.holds(s.value)]
    if bad:
        more = f", and {len(bad) - 1} more series" if len(bad) > 1 else ""
        return _sample(metric, Answer.UNWELL, f"{_told(bad[0])} is not {_wanted(metric)}{more}")
    doubt = _doubt(answer)
    if doubt:
        return _sample(metric, Answer.UNKNOWN, doubt)
    if len(usable) == 1:
        return _sample(metric, Answer.WELL, f"{usable[0].value:.4g}")
    return _sample(metric, Answer.WELL, f"all {len(usable)} series are {_wanted(metric)}")


def worst(metric: Metric, answer: Vector | NoAnswer) -> float | None:
    """Return the one value that a plot shows: the first that does not hold, else the first."""
    if isinstance(answer, NoAnswer):
        return None
    values = [s.value for s in answer.series if math.isfinite(s.value) and s.age <= STALE]
    return next((v for v in values if not metric.holds(v)), values[0] if values else None)


def _bare(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return the labels without the metric's name, which functions drop."""
    return frozenset((k, v) for k, v in labels.items() if k != "__name__")


def concerning(alerts: Sequence[Alert], target: Target) -> tuple[Alert, ...]:
    """Return the alerts of the workload's namespace, those that name the workload first."""
    here = [a for a in alerts if a.labels.get("namespace") == target.namespace]
    return tuple(sorted(here, key=lambda a: (not names(a, target), a.name)))


def names(alert: Alert, target: Target) -> bool:
    """Tell whether an alert's labels name the workload itself."""
    labels = alert.labels
    is_named = target.name in {labels.get(target.noun), labels.get("app")}
    return is_named or labels.get("pod", "").startswith(f"{target.name}-")


def _doubt(answer: Vector) -> str:
    """Return why values that all hold prove nothing; empty where they do."""
    for series in answer.series:
        if math.isnan(series.value):
            return f"{_told(series)} is no number: was anything measured?"
        if math.isinf(series.value):
            return f"{_told(series)} is no measurement: a division by zero?"
        if series.age > STALE:
            return f"{_told(series)} is {series.age:.0f} s old"
    return f"Prometheus warns: {answer.warnings[0]}" if answer.warnings else ""


def _told(series: Series) -> str:
    labels = [f'{k}="{v}"' for k, v in series.labels.items()][:MOST_LABELS]
    return f"{series.value:.4g}" + (f" of {{{', '.join(labels)}}}" if labels else "")


def _wanted(metric: Metric) -> str:
    return f"{metric.op} {metric.threshold:g}"


def _sample(metric: Metric, answer: Answer, detail: str) -> Sample:
    return Sample(subject=metric.name, answer=answer, detail=detail)
