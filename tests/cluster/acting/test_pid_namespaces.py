"""Containers of one host share its name and boot id, and see not each other's processes.

Nobody is called dead, or alive, by a number that means another process where it is looked up.
"""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.acting.test_interruption import expire, holder, under_way
from tests.cluster.command import BACKOUT, Running

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

pytestmark = pytest.mark.never_again
UNSHARED = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    tried = subprocess.run([*UNSHARED, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no PID namespace can be made here: {tried.stderr}")


def apart(space: Space, command: str, *words: str) -> Running:
    """Start a command in a PID namespace of its own, where its number is always 1."""
    argv = [*UNSHARED, str(BACKOUT), command, "deploy/shop", "-n", space.name, *words]
    return Running(argv, space.environment, space.folder)


def undone_apart(space: Space, *words: str) -> Ran:
    return apart(space, "undo", "--yes", "--to-revision", "2", *words).ended()


def check_left_alone(space: Space, ran: Ran) -> None:
    """Check that whoever holds the lock was not taken for dead: nothing was even fenced."""
    ran.expect(3)
    assert "another rollback is under way" in ran.err, str(ran)
    assert len(space.audited("patch", "deployments")) == 1
    assert holder(space) != ""


@pytest.mark.every_case
def test_one_that_runs_is_not_dead_to_whoever_cannot_see_it(space: Space) -> None:
    started = under_way(space)
    check_left_alone(space, undone_apart(space))

    started.send(signal.SIGKILL)
    started.ended()
    check_left_alone(space, undone_apart(space))
    seen_dead = space.undo("--to-revision", "2").expect(0)

    assert "was left open; closed as UNDECIDED" in seen_dead.both
    assert space.image_now() == space.image("v2")


def test_one_that_died_elsewhere_with_our_own_number_is_waited_for(space: Space) -> None:
    space.deploy(space.version("v1", env={"READY": "never"}), serve=False, up=False)
    space.roll(space.version("v2"), up=True)
    started = apart(space, "undo", "--yes", "--to-revision", "1")
    started.until("Waiting for deployment")
    started.send(signal.SIGKILL)
    started.ended()
    for second in (undone_apart(space), space.undo("--to-revision", "2")):
        check_left_alone(space, second)

    expire(space)
    undone_apart(space).expect(0)
    assert space.image_now() == space.image("v2")
    assert [r["state"] for r in space.records()] == ["UNDECIDED", "SUCCEEDED"]
