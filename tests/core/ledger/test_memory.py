from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.ledger import memory, records
from backout.core.ledger.records import Ledger, Record, Side, State
from tests.core.values_made import record
from tests.objects.times import NOW, ago

if TYPE_CHECKING:
    from datetime import datetime

DIGEST = "sha256:" + "a" * 64


def rollback(
    state: State, source: str, to: str, *, at: datetime = NOW, health: str = "Healthy", op: str = ""
) -> Record:
    return replace(
        record(op or f"{source}-{to}-{at}", state=state, intent_at=at),
        source=Side(revision=2, hash=source),
        destination=Side(revision=1, hash=to, images={"app": DIGEST, "proxy": "proxy:v1"}),
        closed_at=at,
        health=health,
    )


def told(*records: Record) -> Ledger:
    """Return what is remembered after these records, each of which was an INTENT first."""
    whole = Ledger()
    for one in records:
        whole = replace(whole, records=(*whole.records, replace(one, state=State.INTENT)))
        whole = memory.with_record(whole, one)
    return whole


def bad(*records: Record) -> set[str]:
    return set(memory.known_bad(told(*records)))


def test_a_record_is_replaced_by_its_operation_and_the_rest_stays() -> None:
    whole = Ledger(records=(record("a"), record("b", state=State.APPLIED)), rest={"x": 1})
    closed = records.moved(whole.records[1], State.SUCCEEDED)
    after = memory.with_record(whole, closed)
    assert after.records == (record("a"), closed)
    assert after.rest == {"x": 1}


def test_what_was_rolled_back_from_is_known_to_be_bad() -> None:
    for state in (State.APPLIED, State.SUCCEEDED, State.UNDECIDED):
        assert bad(rollback(state, "v3", "v2")) == {"v3"}


def test_what_failed_to_roll_out_is_known_to_be_bad_as_well_and_why() -> None:
    failed = replace(rollback(State.FAILED, "v3", "v2"), causes=("IMAGE_NOT_FOUND pod/x: gone",))
    assert bad(failed) == {"v3", "v2"}
    known = memory.known(told(failed), NOW)
    assert known.bad["v2"] == "its rollout failed: IMAGE_NOT_FOUND pod/x: gone, 0 s ago"


def test_what_was_never_applied_makes_nothing_bad() -> None:
    never = rollback(State.NOT_APPLIED, "v3", "v2")
    assert bad(never, rollback(State.INTENT, "v3", "v1")) == set()


def test_the_newest_word_counts() -> None:
    there = rollback(State.SUCCEEDED, "v3", "v2", at=ago(minutes=9))
    assert bad(there, rollback(State.SUCCEEDED, "v2", "v3")) == {"v2"}
    failed = rollback(State.FAILED, "v3", "v2", at=ago(minutes=9))
    assert bad(failed, rollback(State.SUCCEEDED, "v3", "v2")) == {"v3"}


def test_a_rollout_that_nobody_asked_for_its_health_clears_what_was_bad_and_proves_nothing() -> (
    None
):
    failed = rollback(State.FAILED, "v3", "v2", at=ago(minutes=9))
    after = told(failed, rollback(State.SUCCEEDED, "v3", "v2", health="NotVerified"))
    assert "v2" not in memory.known_bad(after)
    assert "v2" not in memory.known_good(after)


def test_recorded_health_keeps_its_first_and_its_last_time_and_the_digests_that_ran() -> None:
    first = rollback(State.SUCCEEDED, "v3", "v2", at=ago(hours=2))
    after = told(first, rollback(State.SUCCEEDED, "v4", "v2", at=ago(minutes=3)))
    one = after.memory["v2"]
    assert (one.first_healthy_at, one.last_healthy_at) == (ago(hours=2), ago(minutes=3))
    assert one.images == {"app": DIGEST}
    assert memory.known(after, NOW).good == {"v2": "recorded healthy 3 min ago"}


def test_a_word_of_a_person_during_a_rollback_outlives_its_end() -> None:
    going = rollback(State.APPLIED, "v3", "v2", at=ago(minutes=5))
    whole = memory.marked(told(going), "v3", 3, at=ago(minutes=2))
    after = memory.with_record(whole, replace(going, state=State.SUCCEEDED, closed_at=NOW))
    assert "v3" in memory.known_good(after)


def test_a_mark_is_the_newest_word() -> None:
    whole = memory.marked(Ledger(), "v1", 1, at=ago(hours=1), images={"app": DIGEST})
    assert set(memory.known_good(whole)) == {"v1"}
    whole = memory.marked(whole, "v1", 4, at=NOW, bad="leaks memory")
    assert memory.known_good(whole) == {}
    assert memory.known(whole, NOW).bad == {"v1": "leaks memory, 0 s ago"}
    assert whole.memory["v1"].revision == 4
    assert whole.memory["v1"].images == {"app": DIGEST}


def versions(whole: Ledger, known: str = "v2") -> dict[str, str]:
    return dict(whole.memory[known].references)


def test_recorded_health_keeps_the_versions_of_what_the_target_named() -> None:
    good = rollback(State.SUCCEEDED, "v3", "v2")
    whole = memory.with_record(Ledger(), good, {"ConfigMap/a": "7"})
    assert versions(whole) == {"ConfigMap/a": "7"}
    assert versions(whole, "v3") == {}


@pytest.mark.parametrize(
    ("state", "health"),
    [
        (State.APPLIED, ""),
        (State.SUCCEEDED, "NotVerified"),
        (State.FAILED, "Unhealthy"),
        (State.UNDECIDED, "Inconclusive"),
        (State.NOT_APPLIED, ""),
    ],
)
def test_without_recorded_health_no_version_is_remembered(state: State, health: str) -> None:
    known = memory.marked(Ledger(), "v2", 1, at=ago(days=1), references={"ConfigMap/a": "3"})
    record_ = rollback(state, "v3", "v2", health=health)
    assert versions(memory.with_record(known, record_, {"ConfigMap/a": "7"})) == {
        "ConfigMap/a": "3"
    }


def test_a_version_that_could_not_be_read_this_time_stays_as_it_was_remembered() -> None:
    known = memory.marked(
        Ledger(), "v2", 1, at=ago(days=1), references={"ConfigMap/a": "3", "Secret/b": "4"}
    )
    good = rollback(State.SUCCEEDED, "v3", "v2")
    assert versions(memory.with_record(known, good, {"ConfigMap/a": "7"})) == {
        "ConfigMap/a": "7",
        "Secret/b": "4",
    }
    assert versions(memory.with_record(known, good)) == {"ConfigMap/a": "3", "Secret/b": "4"}


@given(st.permutations(range(120)))
def test_fifty_templates_are_remembered_and_the_oldest_forgotten(order: list[int]) -> None:
    whole = Ledger()
    for minute in order:
        whole = memory.marked(whole, f"hash-{minute}", 1, at=ago(minutes=minute))
    kept = {int(h.removeprefix("hash-")) for h in whole.memory}
    assert len(kept) == memory.KEPT
    # One that came late is kept; what it pushed out was older than all that stayed.
    assert kept == set(range(memory.KEPT))
