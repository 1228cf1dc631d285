"""Before the controller has observed the last change, the newest revision is not in the history.

Stops the controller-manager of all tests: runs alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import accepting

if TYPE_CHECKING:
    from tests.cluster.space import Space

pytestmark = pytest.mark.exclusive

CONTROLLER = "kube-controller-manager"
BAD = {"CRASH": "3"}


def good_after_bad(space: Space) -> None:
    """Revisions: 1 good, 2 bad, 3 good and current."""
    space.deploy(space.version("v1", env={"GOOD": "1"}), serve=False)
    space.roll(space.version("v1", env=BAD))
    space.roll(space.version("v1", env={"GOOD": "3"}), up=True)


def unobserved_change(space: Space) -> None:
    space.kubectl("set", "image", "deploy/shop", f"app={space.image('missing')}").expect(0)
    found = space.get()
    assert found["metadata"]["generation"] > found["status"]["observedGeneration"]


def env_now(space: Space) -> dict[str, str]:
    env = space.template()["spec"]["containers"][0].get("env", [])
    return {e["name"]: e["value"] for e in env}


def test_kubectl_goes_to_the_bad_revision_and_backout_refuses(space: Space) -> None:
    good_after_bad(space)
    with space.cluster.stopped(CONTROLLER):
        unobserved_change(space)

        began = time.monotonic()
        ran = space.undo().expect(3)
        seconds = time.monotonic() - began
        wrote = space.wrote()

        space.kubectl("rollout", "undo", "deploy/shop").expect(0)

    assert "✗ Not rolled back (PF106). Nothing was changed." in ran.err
    assert "the Deployment controller has not observed the newest change" in ran.err
    assert "--to-revision N" in ran.err
    assert wrote == []
    assert 9 < seconds < 16
    assert env_now(space) == BAD


@pytest.mark.every_case
def test_whoever_goes_on_without_the_controller_gets_to_the_bad_revision(space: Space) -> None:
    """Somebody has undone it a moment ago: so the bad revision is the newest other one."""
    bad = {"READY": "never"}
    space.deploy(space.version("v1", env={"GOOD": "1"}), serve=False)
    space.roll(space.version("v1", env=bad))
    with space.cluster.stopped(CONTROLLER):
        space.kubectl("rollout", "undo", "deploy/shop").expect(0)
        space.undo(*accepting("PF106", "PF121"), "--timeout", "14s").expect(5)

    assert env_now(space) == bad


def test_a_named_revision_goes_on_with_a_warning(space: Space) -> None:
    good_after_bad(space)
    with space.cluster.stopped(CONTROLLER):
        unobserved_change(space)
        ran = space.undo("--to-revision", "3", "--timeout", "14s").expect(5)
        patched = env_now(space)

    assert "WARN PF107: the Deployment controller has not observed the newest change" in ran.err
    assert "rollback triggered for deployment/shop to revision=3" in ran.out
    assert "not finished when time was up" in ran.err
    assert patched == {"GOOD": "3"}
    space.rolled_out()
    assert space.records()[-1]["state"] == "APPLIED", "open, to be resumed"


def test_once_the_controller_acts_the_choice_is_the_right_one(space: Space) -> None:
    good_after_bad(space)
    with space.cluster.stopped(CONTROLLER):
        unobserved_change(space)
        started = space.start_undo()
        started.until("waiting for the Deployment controller to observe the newest change")
    ran = started.ended().expect(0)

    assert "rollback triggered for deployment/shop to revision=3" in ran.out
    assert env_now(space) == {"GOOD": "3"}
