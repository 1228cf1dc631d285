from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backout.core.history import revisions
from backout.core.history.served import current_for
from backout.core.kinds.daemon_set import DAEMON_SET
from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.kubernetes import template as templates
from tests.objects.controller_revisions import controller_revision
from tests.objects.daemon_sets import daemon_set, on_node
from tests.objects.metadata import merged
from tests.objects.stateful_sets import HASH, ordinal, stateful_set
from tests.objects.templates import template
from tests.objects.times import ago

V1, V2 = template("reg.example/app:v1"), template("reg.example/app:v2")


def of_set(stored: Any, pods: Any = (), wanted: Any = V2) -> Any:
    return STATEFUL_SET.revisions(stateful_set(wanted), stored, pods)


def test_each_is_a_revision_without_what_makes_it_a_patch_the_newest_first() -> None:
    second, first = of_set([controller_revision(1), controller_revision(2)])

    assert (second.number, first.number) == (2, 1)
    assert (second.is_current, first.is_current) == (True, False)
    assert "$patch" not in first.template
    assert first.hash == templates.digest(V1)


def test_what_another_workload_controls_is_none_of_it_whatever_its_name() -> None:
    (only,) = of_set([controller_revision(2), controller_revision(9, owner="uid-other")])
    assert only.number == 2


def test_one_that_an_older_api_server_stored_is_the_same_template() -> None:
    old = merged(V2, {"metadata": {"creationTimestamp": None}, "spec": {"volumes": []}})
    old["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1000m"}}
    new = merged(V2, {})
    new["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}

    (found,) = of_set([controller_revision(1, pods=old)], wanted=new)

    assert found.is_current


def test_of_two_with_the_wanted_template_the_newest_number_is_current() -> None:
    twins = [controller_revision(1, pods=V2, name="a"), controller_revision(3, pods=V2, name="b")]
    newest, oldest = of_set(twins)
    assert (newest.is_current, oldest.is_current) == (True, False)


def test_the_pods_of_a_stateful_set_are_labelled_with_its_name_and_of_a_daemon_set_by_hash() -> (
    None
):
    named = controller_revision(1, name="web-7b8c")
    (one,) = of_set([named], [ordinal(0, "web-7b8c"), ordinal(1, "7b8c")], wanted=V1)
    assert [p["metadata"]["name"] for p in one.pods] == ["web-0"]

    labelled = controller_revision(1, name="web-7b8c", labels={HASH: "7b8c"})
    pods = [on_node("n1", "7b8c"), on_node("n2", "web-7b8c")]
    for stored in (labelled, named):  # its name's end tells, too
        (found,) = DAEMON_SET.revisions(daemon_set(V1), [stored], pods)
        assert [p["spec"]["nodeName"] for p in found.pods] == ["n1"]


def test_a_pod_of_the_same_label_that_another_workload_controls_or_that_is_going_is_left_out() -> (
    None
):
    foreign = ordinal(0)
    foreign["metadata"]["ownerReferences"] = []
    going = ordinal(1, metadata={"deletionTimestamp": "2026-11-28T00:00:00Z"})
    (one,) = of_set([controller_revision(1)], [foreign, going, ordinal(2)], wanted=V1)
    assert (len(one.pods), one.ready) == (1, 1)


def test_one_that_was_made_current_again_is_seen_by_its_age_and_has_served_for_no_known_time() -> (
    None
):
    back = controller_revision(3, pods=V1, created=ago(hours=9))
    bad = controller_revision(2, created=ago(hours=2))
    next_one = controller_revision(4, "reg.example/app:v4", created=ago(hours=1))
    history = of_set([back, bad, next_one], wanted=template("reg.example/app:v4"))

    assert [len(r.earlier) for r in history] == [0, 1, 0]
    assert current_for(history[1], history) is None
    assert current_for(of_set([bad, next_one])[1], ()) is None

    fresh = of_set([controller_revision(1, created=ago(hours=9)), bad])
    assert current_for(fresh[1], fresh) == timedelta(hours=7)


def test_two_that_were_made_current_again_one_after_the_other_are_told_by_the_gap() -> None:
    """Bad and good in turns: 1, 2, 3, 4 becomes 1, 2, 5, 6, and good was current for no 3 s."""
    made = [
        controller_revision(1, created=ago(hours=9)),
        controller_revision(2, "reg.example/app:v2", created=ago(hours=8)),
        controller_revision(5, "reg.example/app:good", created=ago(hours=7)),
        controller_revision(6, "reg.example/app:bad", created=ago(hours=7, seconds=-3)),
    ]
    history = of_set(made, wanted=template("reg.example/app:bad"))
    good = next(r for r in history if r.number == 5)

    assert good.earlier
    assert current_for(good, history) is None
    # One that was made in between, after the other had gone up, is what it seems.
    back = controller_revision(4, created=ago(hours=9))
    fresh = controller_revision(3, "reg.example/app:v3", created=ago(hours=1))
    again = of_set([controller_revision(1, created=ago(hours=10)), back, fresh])
    assert [(r.number, bool(r.earlier)) for r in again] == [(4, True), (3, False), (1, False)]


@pytest.mark.parametrize(
    ("numbers", "choice"), [((1,), None), ((1, 2), 1), ((2, 5, 9), 5), ((1, 3, 3), 3), ((0, 4), 0)]
)
def test_kubectl_goes_to_the_last_but_one_by_number(numbers: Any, choice: int | None) -> None:
    stored = [controller_revision(n, f"i:{i}", name=f"web-{i}") for i, n in enumerate(numbers)]
    assert revisions.kubectl_choice(of_set(stored)) == choice


def test_of_two_with_one_number_kubectl_takes_the_first_by_name_also_the_current_one() -> None:
    stored = [
        controller_revision(3, "reg.example/app:v9", name="web-b", created=ago(hours=9)),
        controller_revision(3, pods=V2, name="web-a", created=ago(hours=1)),
    ]
    found = revisions.numbered(of_set(stored), 3)
    assert found is not None
    assert found.is_current
