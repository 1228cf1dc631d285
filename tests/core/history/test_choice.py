from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.core.history.barriers import Barrier
from backout.core.history.choice import TWIN, Choice, Known, NoChoice, asked_for, choose
from backout.core.kubernetes.template import digest
from tests.core.values_made import revision
from tests.objects.templates import template
from tests.objects.times import ago

if TYPE_CHECKING:
    from backout.core.model import Revision


def annotated(number: int, image: str = "", **changes: Any) -> Revision:
    """Return a revision whose template has annotations; `notes` are those."""
    made = template(f"reg.example/app:{image or f'v{number}'}")
    made["metadata"]["annotations"] = changes.pop("notes", {})
    return revision(number, template=made, **changes)


def chosen(history: list[Revision], *bad: str, **asked: Any) -> Choice:
    choice = choose(history, Known(bad=dict.fromkeys(bad, "it failed, 2 h ago")), **asked)
    assert isinstance(choice, Choice)
    return choice


def test_after_two_bad_deploys_the_one_whose_pods_still_run_is_chosen() -> None:
    choice = chosen([revision(4, is_current=True), revision(3), revision(2, ready=3), revision(1)])
    assert choice.revision.number == 2
    assert choice.proven
    assert choice.passed_over == ((3, "no Pod of it is Ready"),)
    assert choice.kubectl == 3
    assert "Ready Pods" in choice.why


def test_ready_pods_now_outrank_what_was_recorded_healthy() -> None:
    history = [revision(4, is_current=True), revision(3), revision(2, ready=1)]
    choice = choose(history, Known(good={"hash-3": "recorded healthy 2 h ago"}))
    assert isinstance(choice, Choice)
    assert choice.revision.number == 2


def test_a_record_of_january_does_not_beat_the_release_of_yesterday() -> None:
    history = [
        revision(6, is_current=True, created=ago(minutes=20)),
        revision(5, created=ago(days=20)),
        *(revision(n, created=ago(days=200 - n)) for n in (4, 3, 2, 1)),
    ]
    choice = choose(history, Known(good={"hash-1": "recorded healthy 200 d ago"}))
    assert isinstance(choice, Choice)
    assert choice.revision.number == 5
    assert (choice.proven, choice.has_served_long) == (False, True)
    assert choice.why == "newest other revision that was current for 19 d"
    assert choice.passed_over == ()


def test_without_any_evidence_the_newest_other_one_is_chosen_and_called_unproven() -> None:
    choice = chosen(
        [
            revision(3, is_current=True, created=ago(minutes=6)),
            revision(2, created=ago(minutes=10)),
            revision(1, created=ago(minutes=19)),
        ]
    )
    assert choice.revision.number == 2
    assert (choice.proven, choice.has_served_long) == (False, False)
    assert choice.why == "newest other revision; unproven, was current for 4 min"


def test_a_rollout_that_lasted_ten_minutes_outranks_a_newer_one_that_did_not() -> None:
    choice = chosen(
        [
            revision(3, is_current=True, created=ago(minutes=6)),
            revision(2, created=ago(minutes=10)),
            revision(1, created=ago(minutes=35)),
        ]
    )
    assert choice.revision.number == 1
    assert (choice.proven, choice.has_served_long) == (False, False)
    assert choice.why == "newest other revision that was current for 25 min; unproven"
    assert choice.passed_over == (
        (2, "it was not recorded healthy and was current for 4 min only"),
    )


def test_what_is_known_to_be_bad_is_passed_over_however_ready_its_pods_are() -> None:
    choice = chosen([revision(3, is_current=True), revision(2, ready=3), revision(1)], "hash-2")
    assert choice.revision.number == 1
    assert choice.passed_over == ((2, "known to be bad: it failed, 2 h ago"),)
    assert choice.kubectl == 2


def test_when_every_other_revision_is_known_to_be_bad_there_is_no_choice() -> None:
    history = [revision(3, is_current=True), revision(2, ready=1), revision(1)]
    none = choose(history, Known(bad={"hash-1": "x", "hash-2": "x"}))
    assert none == NoChoice(known_bad=(2, 1))


def test_recorded_health_is_proof_without_any_pod() -> None:
    history = [
        revision(3, is_current=True, created=ago(minutes=1)),
        revision(2, created=ago(minutes=3)),
        revision(1, created=ago(minutes=5)),
    ]
    choice = choose(history, Known(good={"hash-1": "recorded healthy 2 d ago"}))
    assert isinstance(choice, Choice)
    assert choice.revision.number == 1
    assert choice.proven
    assert choice.why == "newest other revision recorded healthy 2 d ago"


def test_what_is_known_to_be_bad_has_no_proof_even_where_it_is_asked_for() -> None:
    known = Known(bad={"hash-1": "marked"}, good={"hash-1": "recorded healthy"})
    assert not asked_for(revision(1, ready=3), known).proven


def test_one_revision_alone_leaves_nothing_to_choose() -> None:
    assert choose([revision(1, is_current=True)]) == NoChoice()
    assert choose([]) == NoChoice()


@pytest.mark.parametrize(
    "history",
    [
        # A number that was used again: its ReplicaSet is older than it was current.
        [
            revision(3, is_current=True, created=ago(minutes=6)),
            revision(2, earlier=("1",), created=ago(days=30)),
        ],
        # The one after it was current before: it was made long before it came back.
        [
            revision(3, is_current=True, earlier=("1",), created=ago(days=9)),
            revision(2, created=ago(minutes=9)),
        ],
        # 1=A, 2=B, 3=C, then B again as 4: A was current until B came, not until C did.
        [
            revision(4, is_current=True, created=ago(minutes=2)),
            revision(2, created=ago(minutes=3)),
        ],
    ],
)
def test_how_long_it_served_is_not_claimed_where_it_cannot_be_told_and_counts_as_served(
    history: list[Revision],
) -> None:
    choice = chosen([*history, revision(1, created=ago(days=40))])
    assert choice.revision.number == 2
    assert choice.why == "newest other revision; how long it was current is not known; unproven"
    assert not choice.has_served_long


RESTARTS = [
    {"kubectl.kubernetes.io/restartedAt": "2026-03-01T11:59:00Z"},
    {"checksum/config": "8f14e45f"},
    {"configmap-checksum": "8f14e45f"},
    {"example.com/config-hash": "8f14e45f"},
    {"rollme": "Xc4Zq"},
    {"cattle.io/timestamp": "2026-03-01T11:59:00Z"},
    {"reloader.stakater.com/last-reloaded-from": "{}"},
    {"kubernetes.io/change-cause": "again"},
]


@pytest.mark.parametrize("notes", RESTARTS)
def test_what_was_only_restarted_is_no_place_to_go_to(notes: dict[str, str]) -> None:
    before = annotated(2, "v2").template
    history = [
        annotated(3, "v2", notes=notes, is_current=True, created=ago(minutes=2)),
        annotated(2, "v2", ready=1, hash=digest(before), created=ago(minutes=5)),
        annotated(1, "v1", created=ago(days=3)),
    ]
    choice = chosen(history)
    assert choice.revision.number == 1
    assert choice.passed_over == ((2, TWIN),)
    assert choice.kubectl == 2
    assert choose(history[:2]) == NoChoice(twins=(2,))
    assert choose(history[1:2], wanted=history[0].template) == NoChoice(twins=(2,))


@pytest.mark.parametrize(
    "notes",
    [
        {"prometheus.io/port": "9090"},
        {"sidecar.istio.io/inject": "true"},
        {"vault.hashicorp.com/role": "web"},
        {"example.com/restart-policy": "never"},
    ],
)
def test_an_annotation_that_others_read_makes_another_revision(notes: dict[str, str]) -> None:
    history = [annotated(2, "v1", notes=notes, is_current=True), annotated(1, "v1", ready=1)]
    assert chosen(history, wanted=history[0].template).revision.number == 1


SCHEMA = {"backout.dev/barrier": "schema 39; older code refuses it"}


def test_beyond_a_barrier_nothing_is_chosen_and_what_would_be_is_told() -> None:
    history = [
        annotated(4, notes=SCHEMA, is_current=True),
        annotated(3, notes=SCHEMA),
        annotated(2, ready=2),
        annotated(1),
    ]
    assert chosen(history).revision.number == 3
    none = choose([history[0], *history[2:]])
    assert isinstance(none, NoChoice)
    assert none.beyond is not None
    assert none.beyond.number == 2
    assert none.barriers == (Barrier(revision=4, value=SCHEMA["backout.dev/barrier"]),)


def test_a_barrier_between_the_target_and_the_current_one_holds_though_that_has_none() -> None:
    history = [annotated(3, is_current=True), annotated(2, notes=SCHEMA), annotated(1, ready=1)]
    choice = chosen(history)
    assert choice.revision.number == 2
    assert isinstance(choose(history, Known(bad={"hash-2": "it failed"})), NoChoice)


def test_a_barrier_that_the_target_carries_as_well_is_none() -> None:
    history = [annotated(2, notes=SCHEMA, is_current=True), annotated(1, notes=SCHEMA)]
    assert chosen(history).revision.number == 1


def test_a_barrier_of_a_template_that_no_revision_has_yet_counts() -> None:
    wanted = annotated(9, notes=SCHEMA).template
    none = choose([annotated(2), annotated(1)], wanted=wanted)
    assert isinstance(none, NoChoice)
    assert none.barriers == (Barrier(revision=None, value=SCHEMA["backout.dev/barrier"]),)


def test_of_those_that_are_named_the_best_is_chosen_and_no_other() -> None:
    history = [revision(4, is_current=True), revision(3), revision(2, ready=3), revision(1)]
    assert chosen(history, only={3, 1}).revision.number == 3
    assert chosen(history, only={1}).passed_over == ()


def test_what_the_user_names_is_obeyed_and_still_needs_proof() -> None:
    assert not asked_for(revision(1)).proven
    assert asked_for(revision(1, ready=2)).proven
    assert "--to-revision" in asked_for(revision(1)).why
