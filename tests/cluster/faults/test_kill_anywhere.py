"""Killed after each write of a full undo: resume ends it, truly."""

from __future__ import annotations

import signal
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import is_write, scene
from tests.cluster.faults.test_interruptions import hits
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.faults.scene import Ended, Scene
    from tests.cluster.space import Space


def is_patch(line: str) -> bool:
    return line.startswith("PATCH") and "/deployments/" in line


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    with recorded(space) as history, scene(space) as made:
        yield made
        history.check(limit=1)


@pytest.mark.parametrize("first", [1, pytest.param(2, marks=pytest.mark.every_case)])
def test_a_kill_after_any_write_is_ended_by_resume(stage: Scene, first: int) -> None:
    for ended in hits(stage, signal.SIGKILL, "after", count(first, 2), is_write):
        check_resumed(stage, ended)


def check_resumed(stage: Scene, ended: Ended) -> None:
    """Resume at once: the process is dead and of this boot, so that nothing is waited for."""
    was_undone, left = stage.is_undone, stage.states
    resumed = stage.resume()
    states = stage.states
    why = f"{ended}\nleft: {left}, undone: {was_undone}\nthen:\n{resumed}\n{states}"

    assert stage.is_undone is was_undone, why
    assert stage.holder == "", why
    if not left:
        assert (resumed.code, states) == (0, []), why
    elif was_undone:
        assert (resumed.code, states) == (0, ["SUCCEEDED"]), why
        stage.check_repeated(why)
    else:
        assert (resumed.code, states) == (3, ["NOT_APPLIED"]), why
        assert "nothing was changed" in resumed.last, why


def test_a_marker_that_the_controller_has_copied_is_found_on_the_replica_set(
    stage: Scene, space: Space
) -> None:
    """Before it had copied it, nobody can tell any more: tests/cluster/acting/test_frozen.py."""
    stage.broken()
    killed = stage.undo(number=1, sent=signal.SIGKILL, moment="after", counts=is_patch)
    assert killed.hit, str(killed)
    space.rolled_out()
    space.kubectl("rollout", "undo", f"deploy/{SHOP}", "--to-revision=2").expect(0)
    ran = space.resume().expect(5)

    assert "asks for something else since" in ran.outcome
    assert stage.states == ["UNDECIDED"]
    assert stage.holder == ""
