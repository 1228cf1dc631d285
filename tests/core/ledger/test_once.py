"""Once back, not twice: which record has led to where the workload is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.kubernetes import restarts, template
from backout.core.ledger import once
from backout.core.ledger.edits import known_as
from backout.core.ledger.once import Back, Elsewhere, LeftOpen, Standing, standing
from backout.core.ledger.records import Ledger, Record, Side, State
from tests.core.values_made import record
from tests.objects.times import NOW, ago
from tests.objects.workloads import UID

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind

HOUR = timedelta(hours=1)
RESTART = {"kubectl.kubernetes.io/restartedAt": "2026-11-28T03:00:00Z"}


def pods(image: str, **notes: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": {"app": "web"}, "annotations": notes}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image}]}}


def workload(
    wanted: dict[str, Any], *, marker: str = "", generation: int = 5, uid: str = UID
) -> dict[str, Any]:
    notes = {"backout.dev/operation": marker} if marker else {}
    metadata = {"name": "web", "uid": uid, "generation": generation, "annotations": notes}
    return {"metadata": metadata, "spec": {"template": wanted}}


def side(wanted: dict[str, Any], **more: Any) -> Side:
    steady = (restarts.digest(wanted),)
    return Side(revision=2, hash=template.digest(wanted), steady=steady, **more)


def to_good(state: State, **more: Any) -> Record:
    patched = None if state in {State.INTENT, State.NOT_APPLIED} else ago(minutes=9)
    kept = {"patched_at": patched, "destination": side(pods("good")), **more}
    return record(state=state, **kept)


def judged(
    *records: Record, now: dict[str, Any] | None = None, kind: Kind = DEPLOYMENT
) -> Standing:
    there = workload(pods("good")) if now is None else now
    return standing(Ledger(records=records), there, kind, now=NOW, window=HOUR)


@pytest.mark.parametrize("state", [State.INTENT, State.APPLIED])
def test_an_open_rollback_that_led_here_is_gone_on_with(state: State) -> None:
    one = to_good(state)
    assert judged(one) == LeftOpen(record=one)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.UNDECIDED])
def test_a_rollback_that_led_here_and_has_ended_is_not_followed_by_a_second(state: State) -> None:
    one = to_good(state)
    assert judged(one) == Back(record=one, is_recent=True)


@pytest.mark.parametrize(("age", "recent"), [(59, True), (60, False), (-5, True)])
def test_it_is_recent_for_as_long_as_the_breaker_looks_back(age: int, *, recent: bool) -> None:
    one = to_good(State.SUCCEEDED, intent_at=ago(minutes=age))
    assert judged(one) == Back(record=one, is_recent=recent)


def test_what_was_not_applied_led_nowhere() -> None:
    assert judged(to_good(State.NOT_APPLIED)) == Elsewhere()
    assert judged() == Elsewhere()


@pytest.mark.parametrize("state", list(State))
def test_after_another_deployment_an_undo_is_an_undo_again(state: State) -> None:
    assert judged(to_good(state), now=workload(pods("fixed"))) == Elsewhere()


def test_only_the_newest_rollback_that_landed_counts() -> None:
    first = to_good(State.SUCCEEDED, op="a")
    further = record("b", destination=side(pods("older")), patched_at=ago(minutes=2))
    never = to_good(State.NOT_APPLIED, op="c", destination=side(pods("older")))

    assert judged(first, further) == Elsewhere()
    assert judged(first, replace(further, state=State.APPLIED)) == Elsewhere()
    assert judged(first, never) == Back(record=first, is_recent=True)


def test_an_intent_or_a_doubt_that_has_not_led_here_hides_no_rollback_that_has() -> None:
    first = to_good(State.SUCCEEDED, op="a")
    for state in (State.INTENT, State.UNDECIDED):
        other = record("b", state=state, destination=side(pods("older")), patched_at=None)
        assert judged(first, other) == Back(record=first, is_recent=True)


@pytest.mark.parametrize(
    "notes",
    [
        RESTART,
        {"checksum/config": "1"},
        {"checksum/config": "2", **RESTART},
        {"rollme": "x7Ju"},
        {"cattle.io/timestamp": "2026"},
    ],
)
def test_a_restart_in_between_changes_nothing(notes: dict[str, str]) -> None:
    one = to_good(State.SUCCEEDED)
    assert judged(one, now=workload(pods("good", **notes))) == Back(record=one, is_recent=True)


def test_another_annotation_is_another_template() -> None:
    now = workload(pods("good", **{"team.example/config": "2"}))
    assert judged(to_good(State.SUCCEEDED), now=now) == Elsewhere()


def test_what_a_webhook_made_of_our_patch_is_where_we_went_restarted_or_not() -> None:
    made = pods("good@sha256:1", **{"stamp.example/by": "hook"})
    one = to_good(State.APPLIED, destination=known_as(side(pods("good")), made))

    assert judged(one, now=workload(made)) == LeftOpen(record=one)
    restarted = pods("good@sha256:1", **{"stamp.example/by": "hook"}, **RESTART)
    assert judged(one, now=workload(restarted)) == LeftOpen(record=one)
    assert judged(one, now=workload(pods("bad"))) == Elsewhere()


def test_a_run_that_died_before_the_answer_is_known_by_its_marker_alone() -> None:
    """The webhook stamps the time: no dry run could have told what came of the PATCH."""
    stamped = pods("good", **{"stamp.example/at": "03:04:05"})
    one = to_good(State.INTENT, source=side(pods("bad"), generation=4))

    assert judged(one, now=workload(stamped, marker="op-1", generation=6)) == LeftOpen(record=one)
    assert judged(one, now=workload(stamped, marker="op-1", generation=7)) == Elsewhere()
    assert judged(one, now=workload(stamped, marker="another", generation=6)) == Elsewhere()
    new = workload(stamped, marker="op-1", generation=6, uid="another")
    assert judged(one, now=new) == Elsewhere()


def test_records_of_an_older_version_know_their_template_by_its_hash() -> None:
    old = Side(revision=2, hash=template.digest(pods("good")))
    one = to_good(State.SUCCEEDED, destination=old)
    assert judged(one) == Back(record=one, is_recent=True)


@pytest.mark.parametrize(
    ("number", "asked"),
    [(None, True), (2, True), (5, True), (3, False), (1, False)],
)
def test_it_is_asked_for_by_its_old_number_its_new_one_or_none(
    number: int | None, *, asked: bool
) -> None:
    one = to_good(State.SUCCEEDED)
    assert (
        once.is_asked_for(one, number, current=5, existing={5: "new", 3: "three", 1: "one"})
        is asked
    )


def test_an_old_number_that_another_template_has_is_that_ones() -> None:
    one = to_good(State.SUCCEEDED)
    assert not once.is_asked_for(one, 2, current=5, existing={5: "new", 2: "another", 1: "one"})


def test_behind_a_webhook_the_old_number_stays_with_the_template_that_was_asked_for() -> None:
    made = pods("good@sha256:1", **{"stamp.example/by": "hook"})
    asked, stored = template.digest(pods("good")), template.digest(made)
    one = to_good(State.SUCCEEDED, destination=known_as(side(pods("good")), made))
    assert once.is_asked_for(one, 2, current=5, existing={5: stored, 2: asked, 1: "one"})


def test_a_marker_that_kubectls_undo_has_left_where_it_is_leads_nowhere() -> None:
    """On a StatefulSet it stays, and the template is another: one generation more tells."""
    one = to_good(State.APPLIED, source=Side(revision=3, hash="bad", generation=4))
    webhooks = workload(pods("good-and-more"), marker=one.op, generation=5)
    kubectls = workload(pods("bad"), marker=one.op, generation=6)

    assert judged(one, now=webhooks, kind=STATEFUL_SET) == LeftOpen(record=one)
    assert judged(one, now=kubectls, kind=STATEFUL_SET) == Elsewhere()
    # A Deployment's own controller writes an annotation, which moves the generation, too.
    assert judged(one, now=kubectls) == LeftOpen(record=one)
