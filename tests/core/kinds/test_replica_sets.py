"""The history that ReplicaSets tell."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.history import revisions
from backout.core.history.choice import NoChoice, choose
from backout.core.kinds.replica_sets import history as made_of
from tests.objects.deployments import deployment
from tests.objects.metadata import owned_by
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago

CURRENT = deployment(template("reg.example/app:v3"))


def test_the_history_is_ordered_by_number_newest_first() -> None:
    history = made_of(CURRENT, [replica_set(n) for n in (2, 10, 3, 9)], [])
    assert [r.number for r in history] == [10, 9, 3, 2]


def test_current_is_the_template_asked_for_and_not_the_highest_number() -> None:
    history = made_of(CURRENT, [replica_set(3), replica_set(4)], [])
    assert [r.number for r in history if r.is_current] == [3]
    found = revisions.current(history)
    assert found is not None
    assert found.number == 3


def test_of_two_replica_sets_with_the_wanted_template_the_oldest_is_current() -> None:
    younger = replica_set(3, name="web-a", created=NOW)
    older = replica_set(2, "reg.example/app:v3", name="web-b", created=ago(days=1))
    history = made_of(CURRENT, [younger, older], [])
    assert [r.number for r in history if r.is_current] == [2]
    assert choose(history) == NoChoice()


def test_nothing_is_current_before_the_controller_has_acted() -> None:
    history = made_of(CURRENT, [replica_set(1), replica_set(2)], [])
    assert revisions.current(history) is None


@pytest.mark.parametrize(
    "owners",
    [
        owned_by("uid-another"),
        [],
        [{"kind": "Deployment", "name": "web", "uid": "uid-web"}],
        [{"kind": "Deployment", "name": "web", "uid": "uid-web", "controller": False}],
    ],
)
def test_replica_sets_this_object_does_not_control_are_none_of_its_history(owners: Any) -> None:
    stranger = replica_set(7)
    stranger["metadata"]["ownerReferences"] = owners
    history = made_of(CURRENT, [stranger, replica_set(2)], [])
    assert [r.number for r in history] == [2]


def test_pods_count_for_the_replica_set_that_controls_them_unless_they_are_being_deleted() -> None:
    pods = [
        pod("a", of="web-2"),
        pod("b", of="web-2", ready=False),
        pod("c", of="web-2", metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}),
        pod("d", of="web-3"),
    ]
    history = made_of(CURRENT, [replica_set(2), replica_set(3)], pods)
    two = revisions.numbered(history, 2)
    assert two is not None
    assert [p["metadata"]["name"] for p in two.pods] == ["a", "b"]
    assert two.ready == 1


@pytest.mark.parametrize("note", ["", "three", "3.0", "٣", "0x3", "9" * 40, "9" * 5000, " 3"])
def test_an_annotation_that_is_no_number_is_revision_zero(note: str) -> None:
    assert made_of(CURRENT, [replica_set(note, "v1")], [])[0].number == 0


def test_the_change_cause_is_the_replica_sets() -> None:
    made = replica_set(2, notes={"kubernetes.io/change-cause": "deploy 2"})
    assert made_of(CURRENT, [made], [])[0].change_cause == "deploy 2"


def test_of_two_with_the_same_number_the_younger_is_newer() -> None:
    old = replica_set(None, "v1", name="web-a", created=ago(days=9))
    young = replica_set(None, "v2", name="web-b", created=ago(days=1))
    for given_order in ([old, young], [young, old]):
        history = made_of(CURRENT, given_order, [])
        assert [r.stored["metadata"]["name"] for r in history] == ["web-b", "web-a"]


def test_the_numbers_that_it_had_before_are_known() -> None:
    came_back = replica_set(4, notes={"deployment.kubernetes.io/revision-history": "1,3"})
    assert made_of(CURRENT, [came_back], [])[0].earlier == ("1", "3")
