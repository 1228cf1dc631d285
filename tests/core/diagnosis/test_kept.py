"""Of thousands of Pods those are diagnosed anew of which something has changed, or that are due."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis import diagnosis
from backout.core.diagnosis.diagnosis import Meanwhile, Scene
from backout.core.kinds.deployment import DEPLOYMENT
from tests.objects.deployments import deployment
from tests.objects.pods import pod, waiting
from tests.objects.times import NOW

if TYPE_CHECKING:
    from backout.core.model import Object

PULLING = waiting("ErrImagePull", "no such host")


def scene(*pods: Object, events: tuple[Object, ...] = ()) -> Scene:
    return Scene(
        workload=deployment(),
        kind=DEPLOYMENT,
        stored=None,
        pods=pods,
        events=events,
        now=NOW,
    )


def uid(one: Object) -> str:
    return str(one["metadata"]["uid"])


def is_kept(before: Scene, after: Scene, *, seconds: float) -> bool:
    """Tell whether a second look, so much later, takes the word of the first for `before`'s Pod."""
    key = uid(before.pods[0])
    first = diagnosis.diagnose(before, Meanwhile(fresh=3.0), 100.0).meanwhile
    second = diagnosis.diagnose(after, first, 100.0 + seconds).meanwhile
    return second.kept[key] is first.kept[key]


def test_a_pod_of_which_nothing_changes_is_not_diagnosed_anew_for_a_while() -> None:
    one = scene(pod("a", ready=False, containers=[PULLING]))

    assert is_kept(one, one, seconds=2.9)
    assert not is_kept(one, one, seconds=3.0)


def test_a_pod_that_was_read_anew_is() -> None:
    one = pod("a", ready=False, containers=[PULLING])

    assert not is_kept(scene(one), scene(copy.deepcopy(one)), seconds=0.1)


def test_so_is_one_about_which_an_event_came() -> None:
    one = pod("a", ready=False, containers=[PULLING])
    event = {
        "metadata": {"uid": "e"},
        "reason": "Failed",
        "message": "x",
        "involvedObject": {"uid": uid(one)},
    }

    assert not is_kept(scene(one), scene(one, events=(event,)), seconds=0.1)
    assert is_kept(scene(one, events=(event,)), scene(one, events=(event,)), seconds=0.1)


def test_so_are_all_when_a_pod_beside_them_starts_to_end() -> None:
    one, other = pod("a", ready=False, containers=[PULLING]), pod("b")
    ending = copy.deepcopy(other)
    ending["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"

    assert is_kept(scene(one, other), scene(one, other), seconds=0.1)
    assert not is_kept(scene(one, other), scene(one, ending), seconds=0.1)


def test_without_a_word_on_how_long_it_is_good_nothing_is_kept() -> None:
    one = scene(pod("a", ready=False, containers=[PULLING]))
    first = diagnosis.diagnose(one, Meanwhile(), 100.0)
    second = diagnosis.diagnose(one, replace(first.meanwhile), 100.0)

    assert second.meanwhile.kept != {}
    assert second.meanwhile.kept[uid(one.pods[0])] is not first.meanwhile.kept[uid(one.pods[0])]
