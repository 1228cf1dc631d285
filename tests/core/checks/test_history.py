from __future__ import annotations

from typing import Any

import pytest

from backout.core.checks import CHECKS, history
from backout.core.ledger.records import Side, State
from backout.core.model import Severity, Skipped
from backout.core.plan.selection import CHOICES
from backout.core.preflight.snapshot import Need
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import lease, preflight, record
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template

V3 = template("reg.example/app:v3")


def spec(**changes: Any) -> dict[str, Any]:
    return deployment(V3, **changes)


def annotated(**notes: str) -> dict[str, Any]:
    """Revision 3 is current and has these annotations on its Pod template."""
    third, now = replica_set(3), template("reg.example/app:v3")
    for made in (third["spec"]["template"], now):
        made["metadata"]["annotations"] = notes
    return {
        "workload": deployment(now),
        "stored": (replica_set(1), replica_set(2), third),
    }


def barred() -> dict[str, Any]:
    return annotated(**{"backout.dev/barrier": "schema 39"})


def restarted() -> dict[str, Any]:
    """Revision 3 is revision 2, restarted."""
    made = annotated(**{"kubectl.kubernetes.io/restartedAt": "2026-03-01T11:59:00Z"})
    second = replica_set(2, "reg.example/app:v3")
    return {**made, "stored": (replica_set(1), second, made["stored"][2])}


BAD: list[tuple[str, Severity, dict[str, Any], str]] = [
    ("PF105", Severity.BLOCK, {"workload": spec(paused=True)}, "paused"),
    ("PF106", Severity.BLOCK, {"is_observed": False}, "not observed"),
    ("PF107", Severity.WARN, {"is_observed": False, "to": 1}, "not observed"),
    ("PF108", Severity.WARN, {"workload": spec(revisionHistoryLimit=2)}, "is 2"),
    ("PF108", Severity.WARN, {"workload": spec(revisionHistoryLimit=0)}, "is 0"),
    (
        "PF111",
        Severity.BLOCK,
        {"workload": deployment(V3, metadata={"deletionTimestamp": "2026-03-01T11:59:00Z"})},
        "2026-03-01T11:59:00Z",
    ),
    ("PF112", Severity.WARN, {"workload": spec(replicas=0)}, "replicas is 0"),
    ("PF115", Severity.WARN, {"unreadable": {Need.PODS: "forbidden"}}, "chosen without the Pods"),
    ("PF115", Severity.WARN, {"unreadable": {Need.LEDGER: "no"}}, "chosen without the ledger"),
    ("PF116", Severity.BLOCK, {"to": 2, **barred()}, "revision 3 has the barrier 'schema 39'"),
    ("PF117", Severity.WARN, {"to": 2, **restarted()}, "revision 2 runs what runs now"),
]


@pytest.mark.parametrize(("one", "severity", "facts", "words"), BAD, ids=lambda v: str(v)[:20])
def test_the_bad_fact_is_found_with_its_id_severity_and_words(
    one: str, severity: Severity, facts: dict[str, Any], words: str
) -> None:
    (found,) = found_by(one, preflight(**facts))
    assert (found.id, found.severity, found.acceptable) == (one, severity, True)
    assert words in found.message
    assert found.remedy


@pytest.mark.parametrize("one", [c.id for c in history.CHECKS])
def test_without_the_bad_fact_nothing_is_found(one: str) -> None:
    assert found_by(one, preflight()) == ()


@pytest.mark.parametrize(
    ("one", "facts"),
    [
        ("PF105", {"workload": spec(paused=True), "policy": {"unpause": True}}),
        ("PF105", {"workload": spec(paused=False)}),
        ("PF106", {"is_observed": False, "to": 2}),
        ("PF107", {"is_observed": False}),
        ("PF108", {"workload": spec(revisionHistoryLimit=3)}),
        ("PF112", {"workload": spec(replicas=1)}),
        ("PF115", {"unreadable": {Need.PODS: "forbidden"}, "to": 2}),
        ("PF116", {"to": 2, **annotated(**{"backout.dev/barrier": ""})}),
        ("PF117", {"to": 1, **restarted()}),
    ],
)
def test_the_near_miss_is_not_found(one: str, facts: dict[str, Any]) -> None:
    assert found_by(one, preflight(**facts)) == ()


def rolled_back_from(number: int) -> dict[str, Any]:
    digest = next(r.hash for r in preflight().revisions if r.number == number)
    return lease(record(state=State.SUCCEEDED, source=Side(revision=number, hash=digest)))


def test_a_target_that_was_rolled_back_from_is_warned_about() -> None:
    (found,) = found_by("PF109", preflight(lease=rolled_back_from(1), to=1))
    assert (found.severity, found.acceptable) == (Severity.WARN, True)
    assert "revision 1" in found.message
    assert found_by("PF109", preflight(lease=rolled_back_from(3), to=1)) == ()


def test_what_the_ledger_knows_is_skipped_where_it_cannot_be_read() -> None:
    seen = preflight(lease=rolled_back_from(1), to=1, unreadable={Need.LEDGER: "403 for leases"})
    skipped = result_of("PF109", seen)
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "ledger: 403 for leases"
    assert skipped.title


def test_an_id_has_one_severity_and_every_check_a_title() -> None:
    every = (*CHOICES, *CHECKS)

    assert len({c.id for c in every}) == len(every)
    assert all(c.title for c in every)
