"""Components that stand still in the middle of a rollback. Stops what all tests use: runs alone."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import scene
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.faults.history import History
    from tests.cluster.faults.scene import Scene
    from tests.cluster.space import Space
    from tests.contract.fault_proxy import Fault

pytestmark = pytest.mark.exclusive

CONTROLLER = "kube-controller-manager"
FROZEN = 4.0
"""Seconds, longer than the time-out of a request here."""
MOMENTS: dict[str, Callable[[str], bool]] = {
    "the intent": lambda line: line.startswith("POST") and line.endswith("/leases"),
    "the PATCH": lambda line: line.startswith("PATCH") and "/deployments/" in line,
    "the watch": lambda line: line.startswith("WATCH") and line.endswith("/deployments"),
}


EVERY_CASE = pytest.mark.every_case
LIVE = {("etcd", "the intent"), ("kube-apiserver", "the PATCH")}


@pytest.fixture
def history(space: Space) -> Iterator[History]:
    with recorded(space) as made:
        yield made


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    with scene(space) as made:
        yield made


def is_patch(line: str) -> bool:
    return MOMENTS["the PATCH"](line)


def test_a_marker_that_kubectl_wiped_before_the_controller_had_copied_it_makes_it_undecided(
    history: History, stage: Scene, space: Space
) -> None:
    stage.broken()
    with space.cluster.stopped(CONTROLLER):
        killed = stage.undo(number=1, sent=signal.SIGKILL, moment="after", counts=is_patch)
        assert killed.hit, str(killed)
        assert stage.is_undone
        space.kubectl("rollout", "undo", f"deploy/{SHOP}", "--to-revision=2").expect(0)
        ran = space.resume().expect(5)

    assert "cannot be told any more" in ran.outcome
    assert "counts for the limit of rollbacks" in ran.outcome
    assert stage.states == ["UNDECIDED"]
    assert stage.holder == ""
    history.check(limit=1)


@pytest.mark.parametrize(
    ("component", "moment"),
    [
        pytest.param(component, moment, marks=() if (component, moment) in LIVE else EVERY_CASE)
        for component in ("etcd", "kube-apiserver")
        for moment in MOMENTS
    ],
)
def test_what_stands_still_for_longer_than_a_request_leaves_a_truth_that_resume_ends(
    stage: Scene, space: Space, component: str, moment: str
) -> None:
    is_frozen = threading.Event()
    stack = ExitStack()
    thaw = threading.Timer(FROZEN, stack.close)

    def freeze(_: int, line: str) -> Fault:
        if MOMENTS[moment](line) and not is_frozen.is_set():
            is_frozen.set()
            stack.enter_context(space.cluster.stopped(component))
            thaw.start()
        return None

    stage.broken()
    ended = stage.undo(hooks={"before": freeze}, environment={"BACKOUT_REQUEST_TIMEOUT": "1s"})
    thaw.join()
    stage.settled()
    left = stage.states
    why = f"{ended}\nleft: {left}"

    assert is_frozen.is_set(), why
    assert ended.code in {0, 1, 5}, why
    assert (ended.code != 0) or stage.is_undone, why
    assert (ended.code != 1) or not stage.is_undone, why
    stage.resume()
    assert stage.states != [], why
    assert not {"INTENT", "APPLIED"} & set(stage.states), f"{why}\n{stage.states}"
    assert stage.holder == "", why
    assert stage.is_undone is (stage.states[-1] in {"SUCCEEDED", "UNDECIDED"}), why
