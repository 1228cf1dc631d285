from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from backout.core.ledger import memory, records
from backout.core.ledger.records import Bad, Blame, Ledger, Record, Side, State
from tests.core.values_made import record, snapshot
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.times import NOW, ago, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from backout.core.model import Revision

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


def test_a_digest_of_another_repository_is_remembered_with_its_name_and_a_tag_is_none() -> None:
    one = rollback(State.SUCCEEDED, "bad", "good")
    mirrored = f"mirror.example/app@{DIGEST}"
    images = {"app": mirrored, "side": DIGEST, "proxy": "proxy:v1"}
    there = replace(one.destination, images=images)
    after = told(replace(one, destination=there))

    assert after.memory["good"].images == {"app": mirrored, "side": DIGEST}


def test_a_record_is_replaced_by_its_operation_and_the_rest_stays() -> None:
    whole = Ledger(records=(record("a"), record("b", state=State.APPLIED)), rest={"x": 1})
    closed = records.moved(whole.records[1], State.SUCCEEDED)
    after = memory.with_record(whole, closed)
    assert after.records == (record("a"), closed)
    assert after.rest == {"x": 1}


def failed(source: str, to: str, *, at: datetime = NOW, condemns: bool = True) -> Record:
    made = rollback(State.FAILED, source, to, at=at, health="")
    words = "IMAGE_INVALID pod/x: no such name"
    return replace(made, verdict="Failed", causes=(words,), condemns=condemns)


def test_what_was_rolled_back_from_is_known_to_be_bad_once_that_ended_well() -> None:
    assert bad(rollback(State.SUCCEEDED, "v3", "v2")) == {"v3"}
    assert bad(rollback(State.SUCCEEDED, "v3", "v2", health="NotVerified")) == {"v3"}


@pytest.mark.parametrize(
    "state", [State.INTENT, State.APPLIED, State.NOT_APPLIED, State.FAILED, State.UNDECIDED]
)
def test_a_rollback_that_did_not_end_well_says_nothing_of_what_it_left(state: State) -> None:
    assert bad(rollback(state, "v3", "v2")) == set()


def test_what_failed_by_its_own_fault_is_known_to_be_bad_and_why() -> None:
    whole = told(failed("v3", "v2"))
    assert memory.known(whole, NOW).bad == {
        "v2": "its rollout failed: IMAGE_INVALID pod/x: no such name, 0 s ago"
    }
    assert whole.memory["v2"].bad == Bad(
        at=NOW, why="its rollout failed: IMAGE_INVALID pod/x: no such name", blame=Blame.FAILED
    )


def test_what_failed_by_the_fault_of_its_surroundings_is_not_known_to_be_bad() -> None:
    assert bad(failed("v3", "v2", condemns=False)) == set()


def test_a_service_that_was_as_unhealthy_before_proves_nothing_either_way() -> None:
    """The database was down before and after."""
    recorded = memory.recorded(Ledger(), "v2", 1, at=ago(days=1))
    down = rollback(State.FAILED, "v3", "v2", health="Unhealthy")
    after = memory.with_record(recorded, down)
    assert memory.known_bad(after) == {}
    assert set(memory.known_good(after)) == {"v2"}


def test_whoever_goes_back_to_what_a_failed_rollback_left_has_rolled_back_from_nothing() -> None:
    before = rollback(State.SUCCEEDED, "v4", "v1", at=ago(hours=9))
    gone = failed("v4", "v2", at=ago(minutes=9), condemns=False)
    back = rollback(State.SUCCEEDED, "v2", "v4", health="NotVerified")
    assert bad(before, gone) == {"v4"}
    assert bad(before, gone, back) == set()


@pytest.mark.parametrize("state", [State.FAILED, State.UNDECIDED])
def test_going_back_there_takes_no_word_away_that_it_failed_by_its_own_fault(
    state: State,
) -> None:
    earlier = failed("v1", "v4", at=ago(hours=9))
    gone = rollback(state, "v4", "v2", at=ago(minutes=9))
    assert bad(earlier, gone, rollback(State.SUCCEEDED, "v2", "v4", health="")) == {"v4"}


def test_another_rollback_after_a_failed_one_is_no_way_back() -> None:
    gone = failed("v4", "v2", at=ago(minutes=9), condemns=False)
    assert bad(gone, rollback(State.SUCCEEDED, "v2", "v1")) == {"v2"}


def test_a_recorded_health_lifts_that_it_was_rolled_back_from() -> None:
    """Rolled back from, its ConfigMap repaired, deployed again, and verified."""
    left = told(rollback(State.SUCCEEDED, "v3", "v2", at=ago(minutes=9)))
    after = memory.recorded(left, "v3", 5, at=NOW)
    assert set(memory.known_bad(left)) == {"v3"}
    assert memory.known_bad(after) == {}
    assert set(memory.known_good(after)) == {"v2", "v3"}


def test_a_run_with_nothing_to_ask_lifts_nothing() -> None:
    left = rollback(State.SUCCEEDED, "v3", "v2", at=ago(minutes=9))
    there = rollback(State.SUCCEEDED, "v2", "v3", health="NotVerified")
    assert bad(left, there) == {"v2", "v3"}
    assert "v3" not in memory.known_good(told(left, there))


def test_a_health_that_a_pipeline_saw_does_not_take_back_what_a_person_said() -> None:
    marked = memory.marked(Ledger(), "v3", 3, at=ago(hours=1), bad="marked by ann: leaks memory")
    after = memory.recorded(marked, "v3", 5, at=NOW, told="verified by ci")
    assert memory.known_good(after) == {}
    assert memory.known(after, NOW).bad == {"v3": "marked by ann: leaks memory, 1 h ago"}
    assert after.memory["v3"].last_healthy_at == NOW


@pytest.mark.parametrize("health", ["Healthy", "NotVerified", ""])
def test_a_rollback_to_what_a_person_marked_does_not_take_that_back(health: str) -> None:
    marked = memory.marked(Ledger(), "v2", 1, at=ago(hours=1), bad="leaks memory")
    there = rollback(State.SUCCEEDED, "v3", "v2", health=health)
    assert set(memory.known_bad(memory.with_record(marked, there))) == {"v2", "v3"}


def test_a_person_takes_back_what_a_person_said_and_what_a_rollback_did() -> None:
    marked = memory.marked(Ledger(), "v3", 3, at=ago(hours=1), bad="leaks memory")
    left = memory.with_record(marked, rollback(State.SUCCEEDED, "v3", "v2", at=ago(minutes=9)))
    assert left.memory["v3"].bad == marked.memory["v3"].bad
    after = memory.marked(left, "v3", 3, at=NOW)
    assert memory.known_bad(after) == {}


def history(*pods: Any) -> tuple[Revision, ...]:
    return snapshot(pods=pods).revisions


def ready_since(moment: datetime, of: str = "web-2") -> dict[str, Any]:
    made = pod("a", of=of)
    made["status"]["conditions"][0]["lastTransitionTime"] = stamp(moment)
    return made


@pytest.mark.parametrize(
    ("ready", "marked", "is_lifted"),
    [
        (ago(minutes=10), ago(hours=1), True),
        (ago(minutes=9), ago(hours=1), False),
        (ago(days=1), ago(minutes=10), True),  # it was Ready before, and is still
        (ago(days=1), ago(minutes=9), False),
    ],
)
def test_ten_minutes_of_ready_pods_later_on_lift_that_it_did_not_become_ready(
    ready: datetime, marked: datetime, *, is_lifted: bool
) -> None:
    seen = history(ready_since(ready))
    whole = told(failed("v3", seen[1].hash, at=marked))
    assert bool(memory.known(whole, NOW, seen).bad) != is_lifted
    assert memory.known(whole, NOW, history()).bad


def test_ready_pods_do_not_lift_that_it_was_rolled_back_from_nor_a_persons_word() -> None:
    seen = history(ready_since(ago(days=1)))
    left = told(rollback(State.SUCCEEDED, seen[1].hash, "v1", at=ago(hours=2)))
    again = memory.with_record(left, failed("v3", seen[1].hash, at=ago(hours=1)))
    marked = memory.marked(Ledger(), seen[1].hash, 2, at=ago(hours=1), bad="leaks")
    for whole in (left, again, marked):
        assert set(memory.known(whole, NOW, seen).bad) == {seen[1].hash}


def twins() -> tuple[Revision, ...]:
    """Revision 2 is revision 1, restarted."""
    first, second = replica_set(1, "v1"), replica_set(2, "v1")
    notes = {"kubectl.kubernetes.io/restartedAt": "monday"}
    second["spec"]["template"]["metadata"]["annotations"] = notes
    return snapshot(stored=(first, second, replica_set(3)), pods=()).revisions


def test_what_is_known_of_a_template_is_known_of_it_restarted() -> None:
    _, restarted, first = twins()
    left = told(rollback(State.SUCCEEDED, restarted.hash, "v0", at=ago(hours=2)))
    known = memory.known(left, NOW, twins())
    assert known.bad[first.hash] == "ann rolled back from it, 2 h ago (as revision 2)"
    assert known.bad[restarted.hash] == "ann rolled back from it, 2 h ago"

    better = memory.known(memory.recorded(left, first.hash, 1, at=ago(hours=1)), NOW, twins())
    assert set(better.bad) == set()
    assert better.good[restarted.hash] == "recorded healthy 1 h ago (as revision 1)"

    worse = memory.known(memory.recorded(left, first.hash, 1, at=ago(hours=3)), NOW, twins())
    assert set(worse.bad) == {first.hash, restarted.hash}


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
    assert whole.memory["v1"].is_marked


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
    known = memory.recorded(Ledger(), "v2", 1, at=ago(days=1), references={"ConfigMap/a": "3"})
    record_ = rollback(state, "v3", "v2", health=health)
    assert versions(memory.with_record(known, record_, {"ConfigMap/a": "7"})) == {
        "ConfigMap/a": "3"
    }


def test_a_version_that_could_not_be_read_this_time_stays_as_it_was_remembered() -> None:
    known = memory.recorded(
        Ledger(), "v2", 1, at=ago(days=1), references={"ConfigMap/a": "3", "Secret/b": "4"}
    )
    good = rollback(State.SUCCEEDED, "v3", "v2")
    assert versions(memory.with_record(known, good, {"ConfigMap/a": "7"})) == {
        "ConfigMap/a": "7",
        "Secret/b": "4",
    }
    assert versions(memory.with_record(known, good)) == {"ConfigMap/a": "3", "Secret/b": "4"}


@pytest.mark.slow
@given(st.permutations(range(120)))
def test_fifty_templates_are_remembered_and_the_oldest_forgotten(order: list[int]) -> None:
    whole = Ledger()
    for minute in order:
        whole = memory.recorded(whole, f"hash-{minute}", 1, at=ago(minutes=minute))
    kept = {int(h.removeprefix("hash-")) for h in whole.memory}
    assert len(kept) == memory.KEPT
    # One that came late is kept; what it pushed out was older than all that stayed.
    assert kept == set(range(memory.KEPT))


@given(st.permutations(range(60)))
def test_a_persons_marks_and_the_newest_known_good_are_forgotten_last(order: list[int]) -> None:
    whole = memory.marked(Ledger(), "marked", 1, at=ago(days=9), bad="leaks")
    whole = memory.marked(whole, "praised", 1, at=ago(days=8))
    whole = memory.recorded(whole, "good", 1, at=ago(days=7))
    for minute in order:
        left = rollback(State.SUCCEEDED, f"hash-{minute}", "x", at=ago(minutes=minute), health="")
        whole = memory.with_record(whole, left)
    assert {"marked", "praised", "good"} < set(whole.memory)
    assert len(whole.memory) == memory.KEPT
