"""Each write of an undo lost on its way there, or its answer on the way back: told truly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import Ended, is_write, scene
from tests.contract.fault_proxy import DROP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.faults.scene import Scene
    from tests.cluster.space import Space
    from tests.contract.fault_proxy import Fault


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    with recorded(space) as history, scene(space) as made:
        yield made
        history.check(limit=1)


def losing(stage: Scene, what: str, number: int, moment: str) -> Ended:
    """Undo, and lose the n-th write whose line holds `what`."""
    seen = 0

    def hook(_: int, line: str) -> Fault:
        nonlocal seen
        if what not in line or not is_write(line):
            return None
        seen += 1
        return DROP if seen == number else None

    stage.broken()
    ended = stage.undo(hooks={moment: hook})
    stage.settled()
    assert seen >= number, f"there was no write {number} of {what}:\n{ended}"
    return ended


@pytest.mark.parametrize(
    "number", [1, *(pytest.param(n, marks=pytest.mark.every_case) for n in (2, 3))]
)
@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.every_case), "after"])
def test_a_lost_write_of_the_lease_stops_nothing_and_is_told_by_nothing_false(
    stage: Scene, moment: str, number: int
) -> None:
    ended = losing(stage, "/leases", number, moment)

    assert ended.code == 0, str(ended)
    assert stage.is_undone
    assert stage.states == ["SUCCEEDED"]
    stage.check_repeated(str(ended))


def test_a_patch_that_was_lost_on_its_way_is_told_as_not_applied(stage: Scene) -> None:
    ended = losing(stage, "/deployments/", 1, "before")

    assert ended.code == 1, str(ended)
    assert "it did not land; nothing was changed" in ended.last
    assert not stage.is_undone
    assert stage.states == ["NOT_APPLIED"]
    assert stage.holder == ""


def test_a_patch_whose_answer_was_lost_is_found_applied(stage: Scene) -> None:
    ended = losing(stage, "/deployments/", 1, "after")

    assert ended.code == 0, str(ended)
    assert "no clear answer to the PATCH" in ended.err
    assert stage.is_undone
    assert stage.states == ["SUCCEEDED"]
    stage.check_repeated(str(ended))
