"""The write that hands managed fields back, killed and lost: told truly, and resume does it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from backout.core.heal.hand_back import is_ours
from tests.cluster.faults.scene import Scene, scene
from tests.cluster.faults.test_kill_anywhere import is_patch
from tests.cluster.manifests import SHOP, deployment
from tests.contract.fault_proxy import DROP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.space import Space
    from tests.contract.fault_proxy import Fault, Hook

SECOND = 2
"""Of the PATCHes of the workload: the first is the rollback's."""


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    """Let somebody called ci apply the good version server-side, and then the bad one."""
    with scene(space) as made:
        for tag in ("v1", "there-is-none"):
            apply(space, tag)
            space.observed()
        made.proxy.forget()
        yield made


def apply(space: Space, tag: str) -> None:
    body = {**deployment(space.version(tag)), "apiVersion": "apps/v1"}
    how = "fieldManager=ci&force=true"
    path = f"/apis/apps/v1/namespaces/{space.name}/deployments/{SHOP}?{how}"
    space.api.call("PATCH", path, body, "apply-patch+yaml")


def is_healed(space: Space) -> bool:
    return not is_ours(space.get())


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.every_case), "after"])
def test_a_kill_at_the_second_write_leaves_it_to_resume(
    stage: Scene, space: Space, moment: str
) -> None:
    ended = stage.undo(number=SECOND, sent=signal.SIGKILL, moment=moment, counts=is_patch)
    assert ended.hit, str(ended)
    assert stage.is_undone
    resumed = stage.resume()

    assert resumed.code == 0, f"{ended}\n{resumed}"
    assert is_healed(space), f"{ended}\n{resumed}"
    assert stage.states == ["SUCCEEDED"]
    assert stage.holder == ""
    stage.check_repeated(str(resumed))
    apply(space, "v1")


@pytest.mark.parametrize("moment", ["before", pytest.param("after", marks=pytest.mark.every_case)])
def test_a_second_write_that_is_lost_changes_nothing_of_the_rollback_and_resume_makes_up_for_it(
    stage: Scene, space: Space, moment: str
) -> None:
    """Behind a 409 that nobody heard of nothing was written, either."""
    with losing_the_second(stage) as hook:
        ended = stage.undo(hooks={moment: hook})
    stage.settled()

    assert ended.code == 0, str(ended)
    assert stage.states == ["SUCCEEDED"]
    assert ("could not be handed back" in ended.err) is not is_healed(space), str(ended)
    assert moment == "after" or not is_healed(space)
    resumed = stage.resume()
    assert resumed.code == 0, str(resumed)
    assert is_healed(space), str(resumed)
    assert all("owners" not in r for r in space.records())


@contextmanager
def losing_the_second(stage: Scene) -> Iterator[Hook]:
    """Give the hook that loses the second PATCH of the workload, and fail if none came."""
    seen: list[str] = []

    def hook(_: int, line: str) -> Fault:
        seen.extend([line] if is_patch(line) else [])
        return DROP if is_patch(line) and len(seen) == SECOND else None

    yield hook
    assert len(seen) >= SECOND, seen
    stage.proxy.forget()
