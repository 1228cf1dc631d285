"""StatefulSets and DaemonSets: their history tells nothing of a PATCH, the workload alone does."""

from __future__ import annotations

import signal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import is_write, scene
from tests.cluster.faults.test_interruptions import hits
from tests.cluster.faults.test_kill_anywhere import check_resumed
from tests.cluster.faults.test_lost_writes import losing
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.faults.scene import Scene
    from tests.cluster.space import Space

KINDS: dict[str, Any] = {
    "StatefulSet": {"replicas": 2, "podManagementPolicy": "Parallel"},
    "DaemonSet": {},
}


@pytest.fixture(
    params=["StatefulSet", pytest.param("DaemonSet", marks=pytest.mark.every_case)],
)
def stage(space: Space, request: pytest.FixtureRequest) -> Iterator[Scene]:
    space.kind = request.param
    with recorded(space) as history, scene(space, **KINDS[space.kind]) as made:
        yield made
        history.check(limit=1)


@pytest.mark.parametrize("first", [1, pytest.param(2, marks=pytest.mark.every_case)])
def test_a_kill_after_any_write_is_ended_by_resume(stage: Scene, first: int) -> None:
    for ended in hits(stage, signal.SIGKILL, "after", count(first, 2), is_write):
        check_resumed(stage, ended)


@pytest.mark.every_case
def test_a_patch_that_was_lost_on_its_way_is_told_as_not_applied(stage: Scene) -> None:
    ended = losing(stage, stage.workloads, 1, "before")

    assert ended.code == 1, str(ended)
    assert not stage.is_undone
    assert stage.states == ["NOT_APPLIED"]


@pytest.mark.every_case
def test_a_patch_whose_answer_was_lost_is_found_applied(stage: Scene) -> None:
    ended = losing(stage, stage.workloads, 1, "after")

    assert ended.code == 0, str(ended)
    assert stage.is_undone
    assert stage.states == ["SUCCEEDED"]
    stage.check_repeated(str(ended))


@pytest.mark.every_case
def test_kubectls_undo_leaves_the_marker_so_that_it_is_known_that_the_patch_landed(
    stage: Scene, space: Space
) -> None:
    """A Deployment's is wiped by it: tests/cluster/acting/test_frozen.py."""
    killed = _killed_at_the_patch(stage)
    space.kubectl("rollout", "undo", f"{space.kind}/{SHOP}", "--to-revision=4").expect(0)
    ran = space.resume().expect(5)

    assert "asks for something else since" in ran.outcome, str(killed)
    assert stage.states == ["UNDECIDED"]


@pytest.mark.every_case
def test_a_marker_that_was_wiped_alone_leaves_it_undecided_and_never_not_applied(
    stage: Scene, space: Space
) -> None:
    killed = _killed_at_the_patch(stage)
    space.merge({"metadata": {"annotations": {"backout.dev/operation": None}}})
    ran = space.resume().expect(5)

    assert "it cannot be told any more" in ran.outcome, str(killed)
    assert stage.states == ["UNDECIDED"]


def _killed_at_the_patch(stage: Scene) -> str:
    def is_patch(line: str) -> bool:
        return line.startswith("PATCH") and stage.workloads in line

    stage.broken()
    killed = stage.undo(number=1, sent=signal.SIGKILL, moment="after", counts=is_patch)
    assert killed.hit, str(killed)
    return str(killed)
