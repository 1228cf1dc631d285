"""What a mutating webhook makes of our PATCH is what was rolled back to, however the run ended."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from backout.core.kubernetes import template
from sandbox import images
from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import scene
from tests.cluster.faults.test_kill_anywhere import is_patch
from tests.cluster.webhook import mutating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.api import Object
    from tests.cluster.faults.scene import Scene
    from tests.cluster.space import Space

    Change = Callable[[Object], None]

pytestmark = pytest.mark.never_again
EVERY_CASE = pytest.mark.every_case
GOOD = 3
"""The revision that is rolled back to: two good ones lie behind it, and a bad one is current."""


def stamping() -> Change:
    """Return what notes each write, as one does that tells who or when: no two notes are equal."""
    numbers = count(1)

    def stamp(pods: Object) -> None:
        notes = pods["metadata"].setdefault("annotations", {})
        notes["stamp.example/write"] = str(next(numbers))

    return stamp


def pinning() -> Change:
    """Return what names each image by its digest, where there is such an image."""

    def pin(pods: Object) -> None:
        for container in pods["spec"]["containers"]:
            name, _, tag = container["image"].rpartition(":")
            digest = None if "@" in name else images.manifest_digest("app", tag)
            container["image"] = f"{name}@{digest}" if digest else container["image"]

    return pin


def injecting() -> Change:
    """Return what adds the same to every Pod, and pins its images."""
    pin = pinning()

    def inject(pods: Object) -> None:
        pin(pods)
        pods["metadata"].setdefault("annotations", {})["mesh.example/injected"] = "v3"
        env = pods["spec"]["containers"][0].setdefault("env", [])
        if not any(one["name"] == "MESH" for one in env):
            env.append({"name": "MESH", "value": "on"})

    return inject


CHANGES = {"stamps": stamping, "pins": pinning, "installed later": injecting}


@pytest.fixture(params=["stamps", pytest.param("pins", marks=EVERY_CASE), "installed later"])
def stage(request: pytest.FixtureRequest, space: Space) -> Iterator[Scene]:
    """Give the bad revision as the current one, behind a webhook."""
    is_late = request.param == "installed later"
    change = CHANGES[request.param]()
    with ExitStack() as stack:
        history = stack.enter_context(recorded(space))
        if not is_late:
            stack.enter_context(mutating(space, change))
        made = stack.enter_context(scene(space))
        made.broken()
        if is_late:
            stack.enter_context(mutating(space, change))
        yield made
        history.check(limit=1)


def check_back(stage: Scene, why: str) -> None:
    """Check that it went where it was to go, and that record and memory know what came of it."""
    space = stage.space
    now = space.template()
    digest = template.digest(now)
    [record] = space.records()
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"]["backout.dev/ledger"])

    assert is_good(stage, now), why
    assert record["state"] == "SUCCEEDED", why
    assert digest in {record["to"]["hash"], record["to"]["stored"]}, why
    assert ledger["memory"][digest]["lastHealthyAt"], why
    assert stage.holder == "", why


def is_good(stage: Scene, pods: Object) -> bool:
    image = pods["spec"]["containers"][0]["image"]
    pinned = f"{stage.good.rpartition(':')[0]}@{images.manifest_digest('app', 'v1')}"
    return image in {stage.good, pinned}


def check_no_further(stage: Scene) -> None:
    """Give the command again, plain and by both numbers of where it went: nothing is moved."""
    before = stage.space.template()
    new = int(stage.space.get()["metadata"]["annotations"]["deployment.kubernetes.io/revision"])
    for words in ((), ("--to-revision", str(new)), ("--to-revision", str(GOOD))):
        again = stage.space.undo(*words).expect(3)
        assert "already rolled back to revision" in again.outcome, str(again)
    assert stage.space.template() == before


def test_an_undo_watches_what_the_api_server_stored_and_goes_no_further(stage: Scene) -> None:
    ran = stage.space.undo().expect(0)

    assert f"to revision={GOOD}," in ran.out, str(ran)
    assert "superseded" not in ran.both, str(ran)
    check_back(stage, str(ran))
    check_no_further(stage)


@pytest.mark.parametrize("command", ["undo", pytest.param("resume", marks=EVERY_CASE)])
def test_an_undo_killed_before_it_knew_the_answer_is_gone_on_with(
    stage: Scene, command: str
) -> None:
    killed = stage.undo(number=1, sent=signal.SIGKILL, moment="after", counts=is_patch)
    assert killed.hit, str(killed)
    assert stage.states == ["INTENT"]
    stage.settled()
    ran = stage.undo(command=command)

    assert ran.code == 0, str(ran)
    check_back(stage, str(ran))
    check_no_further(stage)
