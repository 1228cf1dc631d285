from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backout.core.checks.breaker import of_the_lock
from backout.core.ledger.edits import side
from backout.core.ledger.records import State
from backout.core.model import Severity, Skipped
from backout.core.preflight.snapshot import Need, Preflight
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import lease, preflight, record
from tests.objects.pods import pod
from tests.objects.times import ago, stamp

RECENT = (
    record("a", intent_at=ago(minutes=50)),
    record("b", intent_at=ago(minutes=5), actor="ci", state=State.FAILED),
)


def test_the_third_rollback_in_an_hour_is_refused_in_the_exact_words() -> None:
    (found,) = found_by("PF801", preflight(lease=lease(*RECENT)))
    assert found.message == "rollback rate limit exceeded — manual intervention required"
    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert "the next is allowed at 2026-03-01T12:10:00Z" in found.detail
    assert "50 min ago revision 3 -> 2 by ann: succeeded" in found.detail
    assert "by ci: failed" in found.detail
    assert found.risk


@pytest.mark.parametrize(
    "changes",
    [
        {"lease": None},
        {"lease": lease(RECENT[0])},
        {"lease": lease(*RECENT), "policy": {"limit": 3}},
        {"lease": lease(*RECENT), "policy": {"window": timedelta(minutes=30)}},
        {"lease": lease(RECENT[0], record("n", state=State.NOT_APPLIED))},
    ],
)
def test_within_the_limit_nothing_is_found(changes: dict[str, Any]) -> None:
    assert found_by("PF801", preflight(**changes)) == ()


def held(renewed_ago: float, *records: Any) -> Preflight:
    spec = {
        "holderIdentity": "op-7",
        "leaseDurationSeconds": 60,
        "acquireTime": stamp(ago(minutes=4)),
        "renewTime": stamp(ago(seconds=renewed_ago)),
    }
    return preflight(lease=lease(*records, spec=spec))


def test_another_rollback_under_way_is_told_with_its_holder_and_age_and_not_acceptable() -> None:
    (found,) = found_by("PF802", held(10, record("op-7", state=State.APPLIED)))
    assert (found.severity, found.acceptable) == (Severity.BLOCK, False)
    assert (
        "ann on laptop has held the lock for 4 min, watching the rollout (APPLIED)" in found.message
    )
    assert "60 s" in found.detail
    assert "--take-over" in found.remedy
    (nameless,) = found_by("PF802", held(10))
    assert "op-7" in nameless.message


def test_a_lock_that_is_free_or_expired_is_not_another_rollback() -> None:
    assert found_by("PF802", held(61, record("op-7", state=State.APPLIED))) == ()
    assert found_by("PF802", preflight(lease=lease(record()))) == ()
    assert found_by("PF802", preflight()) == ()


@pytest.mark.parametrize(
    ("one", "denied", "rule"),
    [
        ("PF803", ["patch deployments"], "apiGroups: [apps], resources: [deployments]"),
        ("PF803", ["watch deployments", "patch deployments"], "resources: [deployments]"),
        ("PF804", ["create leases"], "apiGroups: [coordination.k8s.io], resources: [leases]"),
    ],
)
def test_a_missing_permission_is_named_with_the_rule_that_grants_it(
    one: str, denied: list[str], rule: str
) -> None:
    told = {"get deployments": True, "get leases": True} | dict.fromkeys(denied, False)
    (found,) = found_by(one, preflight(permissions=told))
    assert (found.severity, found.acceptable) == (Severity.BLOCK, False)
    assert f"you may not {', '.join(denied)} in namespace shop" in found.message
    assert rule in found.remedy
    other = {"PF803": "PF804", "PF804": "PF803"}[one]
    assert found_by(other, preflight(permissions=told)) == ()


@pytest.mark.parametrize("one", ["PF803", "PF804"])
def test_what_is_allowed_or_was_not_asked_is_no_finding(one: str) -> None:
    allowed = {f"{v} {r}": True for v in ("get", "patch") for r in ("deployments", "leases")}
    assert found_by(one, preflight(permissions=allowed)) == ()
    assert found_by(one, preflight(permissions={"get services": False})) == ()


def test_an_unreadable_ledger_blocks_and_cannot_be_gone_past() -> None:
    for text in ("garbage", '{"schema":2,"records":[]}'):
        seen = preflight(lease=lease(text=text))
        (found,) = found_by("PF805", seen)
        assert (found.severity, found.acceptable) == (Severity.BLOCK, False)
        assert found_by("PF801", seen) == ()
    assert found_by("PF805", preflight(lease=lease(*RECENT))) == ()


@pytest.mark.parametrize(
    ("one", "need"),
    [
        ("PF801", Need.LEDGER),
        ("PF802", Need.LEDGER),
        ("PF805", Need.LEDGER),
        ("PF803", Need.PERMISSIONS),
        ("PF804", Need.PERMISSIONS),
    ],
)
def test_what_could_not_be_read_is_skipped_with_the_reason_never_passed(
    one: str, need: Need
) -> None:
    skipped = result_of(one, preflight(unreadable={need: "a fault"}))
    assert isinstance(skipped, Skipped)
    assert skipped.reason == f"{need}: a fault"
    other = Need.LEDGER if need is Need.PERMISSIONS else Need.PERMISSIONS
    assert not isinstance(result_of(one, preflight(unreadable={other: "a fault"})), Skipped)


READY = tuple(pod(f"web-3-{x}", of="web-3") for x in "abc")


def been_back(minutes: int, **changes: Any) -> Preflight:
    """Return a workload that was rolled back to its current revision so long ago."""
    current = preflight().snapshot.workload["spec"]["template"]
    there = side(3, current)
    done = record("a", intent_at=ago(minutes=minutes), destination=there, patched_at=ago(minutes=1))
    return preflight(lease=lease(done), **changes)


def test_a_rollback_of_long_ago_whose_revision_is_well_needs_a_reason() -> None:
    (found,) = found_by("PF807", been_back(61, pods=READY))
    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert "was rolled back to revision 3" in found.message
    assert "--reason" in found.remedy
    assert found.risk


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 61, "policy": {"reason": "INC-7"}},
        {"minutes": 61, "to": 1},
        {"minutes": 61, "pods": ()},
    ],
)
def test_a_reason_a_name_or_trouble_makes_it_an_undo_like_any_other(
    changes: dict[str, Any],
) -> None:
    assert found_by("PF807", been_back(**{"pods": READY, **changes})) == ()


def test_the_way_back_from_a_rollback_that_failed_is_not_counted() -> None:
    current = preflight().snapshot.workload["spec"]["template"]
    target = preflight().destination
    failed = record(
        "b",
        state=State.FAILED,
        intent_at=ago(minutes=5),
        source=side(target.number, target.template),
        destination=side(3, current),
    )
    seen = preflight(lease=lease(RECENT[0], failed), policy={"limit": 1})
    assert found_by("PF801", seen) == ()


def test_the_lock_judges_the_ledger_that_it_read_whatever_an_earlier_read_said() -> None:
    seen = preflight(lease=lease(*RECENT), unreadable={Need.LEDGER: "the server is busy"})
    assert [f.id for f in of_the_lock(seen)] == ["PF801"]
