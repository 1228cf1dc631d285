from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from backout.core.health.judgement import Answer
from backout.core.health.metric import (
    STALE,
    Alert,
    NoAnswer,
    Series,
    Vector,
    concerning,
    judged,
    names,
    worst,
)
from backout.core.health.promql import parse
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.report.notification import document, signature

BELOW = parse("errors < 0.05")
ABOVE = parse("traffic > 1")
TARGET = Target(kind=DEPLOYMENT, namespace="shop", name="web")


def vector(*values: float, age: float = 0.0, warnings: tuple[str, ...] = ()) -> Vector:
    return Vector(series=tuple(Series(value=v, age=age) for v in values), warnings=warnings)


def test_a_value_that_holds_is_well() -> None:
    sample = judged(BELOW, vector(0.01))

    assert (sample.answer, sample.detail) == (Answer.WELL, "0.01")
    assert sample.subject == "metric errors < 0.05"


def test_every_series_must_hold_and_the_one_that_does_not_is_named() -> None:
    series = (Series(value=0.01), Series(value=0.4, labels={"pod": "web-1"}))
    sample = judged(BELOW, Vector(series=series))

    assert sample.answer is Answer.UNWELL
    assert sample.detail == '0.4 of {pod="web-1"} is not < 0.05'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (NoAnswer(why="cannot connect to prometheus"), "cannot connect"),
        (Vector(series=()), "no series"),
        (vector(math.nan), "no number"),
        (vector(0.01, math.nan), "no number"),
        (vector(-math.inf), "division by zero"),
        (vector(0.01, age=STALE + 1), "61 s old"),
        (vector(0.9, age=STALE + 1), "61 s old"),
        (vector(0.01, warnings=("partial response",)), "Prometheus warns: partial response"),
    ],
)
def test_what_proves_nothing_is_unknown_and_never_well(answer: Vector | NoAnswer, why: str) -> None:
    sample = judged(BELOW, answer)

    assert sample.answer is Answer.UNKNOWN
    assert why in sample.detail


def test_an_infinite_value_that_does_not_hold_is_bad_and_one_that_holds_proves_nothing() -> None:
    assert judged(BELOW, vector(math.inf)).answer is Answer.UNWELL
    assert judged(ABOVE, vector(math.inf)).answer is Answer.UNKNOWN


def test_a_bad_series_outranks_an_unknown_one() -> None:
    assert judged(BELOW, vector(math.nan, 0.9)).answer is Answer.UNWELL


def test_a_plain_name_is_as_old_as_its_last_measurement() -> None:
    values = Vector(series=(Series(value=0, labels={"__name__": "errors", "pod": "a"}, at=1000),))
    times = Vector(series=(Series(value=880, labels={"pod": "a"}, at=1000),))

    assert judged(BELOW, values).answer is Answer.WELL
    assert judged(BELOW, values.measured(times)).detail.endswith("is 120 s old")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (vector(0.01, 0.4), 0.4),
        (vector(0.01, 0.02), 0.01),
        (vector(math.nan), None),
        (vector(), None),
        (NoAnswer(why="slow"), None),
    ],
)
def test_the_plotted_value_is_the_worst_one(answer: Vector | NoAnswer, value: float | None) -> None:
    assert worst(BELOW, answer) == value


def alert(**labels: str) -> Alert:
    return Alert(name=labels.pop("name", "A"), labels=labels)


def test_alerts_of_the_namespace_count_and_those_of_the_workload_come_first() -> None:
    found = concerning(
        [
            alert(namespace="shop", name="Database"),
            alert(namespace="other", app="web"),
            alert(severity="page"),
            alert(namespace="shop", deployment="web", name="Web"),
        ],
        TARGET,
    )

    assert [a.name for a in found] == ["Web", "Database"]


@pytest.mark.parametrize(
    ("labels", "is_named"),
    [
        ({"deployment": "web"}, True),
        ({"app": "web"}, True),
        ({"pod": "web-7d9-x2"}, True),
        ({"pod": "website-7d9-x2"}, False),
        ({"deployment": "database"}, False),
        ({}, False),
    ],
)
def test_an_alert_names_the_workload_by_deployment_app_or_pod(
    labels: dict[str, str], *, is_named: bool
) -> None:
    assert names(alert(**labels), TARGET) is is_named


def test_a_notification_is_a_grafana_annotation() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = document("triggered", "it begins", now, TARGET, {"revision": 3})

    assert made == {
        "kind": "triggered",
        "text": "it begins",
        "time": 1767323045000,
        "tags": ["backout", "triggered", "namespace:shop", "workload:deployment/web"],
        "object": {"kind": "Deployment", "namespace": "shop", "name": "web"},
        "revision": 3,
    }


def test_the_signature_is_hmac_sha256_over_the_body() -> None:
    # RFC 4231, test case 2.
    assert signature(b"Jefe", b"what do ya want for nothing?") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
