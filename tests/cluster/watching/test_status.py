"""`backout status` and `backout explain` as commands; what they call failed: test_situations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.command import accepting
from tests.cluster.manifests import SHOP
from tests.situations.record import record
from tests.situations.situation import Situation

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"


def status(space: Space, *words: str) -> Ran:
    return space.backout("status", DEPLOY, *words)


def causes(ran: Ran, *, final: bool) -> list[str]:
    return [e["code"] for e in ran.events if e["event"] == "cause" and e["final"] is final]


def rolled(space: Space, **how: Any) -> None:
    """A good version is up; one made like this is rolled out over it."""
    tag = how.pop("tag", "v2")
    space.deploy(space.version("v1"))
    space.roll(space.version(tag, **how))


@pytest.mark.every_case
def test_a_crash_is_suspected_at_its_first_exit_and_final_at_the_fourth_restart(
    space: Space,
) -> None:
    rolled(space, env={"CRASH": "3"})
    hasty = status(space, "-o", "json", "--fail-fast", "--timeout", "40s").expect(4)
    ran = status(space, "-o", "json", "--timeout", "150s").expect(4)

    assert causes(hasty, final=True)[0] == "CRASH_LOOP"
    assert "CRASH_LOOP" in causes(ran, final=True), str(ran)
    assert "4 restarts" in ran.events[-1]["message"]
    (logs,) = [e for e in ran.events if e["event"] == "logs"]
    assert any("starts" in line for line in logs["lines"])


def test_what_was_missing_and_comes_late_is_no_failure_when_it_is_there(space: Space) -> None:
    rolled(space, container={"envFrom": [{"configMapRef": {"name": "late"}}]})
    status(space, "--patience", "5s", "--timeout", "30s").expect(4)
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    space.create(late)
    space.rolled_out()

    status(space, "--timeout", "30s").expect(0)


def test_the_deadline_of_the_rollout_before_is_not_this_ones(space: Space) -> None:
    """Its ProgressDeadlineExceeded still stands there for a moment: kubectl fails on it."""
    space.deploy(space.version("v1"), progressDeadlineSeconds=3)
    space.roll(space.version("v2", env={"READY": "never"}))
    status(space, "--timeout", "30s").expect(4)
    space.roll(space.version("v2"))

    status(space, "--timeout", "30s").expect(0)


def test_somebody_elses_newer_rollout_supersedes_this_one(space: Space) -> None:
    rolled(space, env={"READY": "never"})
    argv = ("status", DEPLOY, "--timeout", "30s")
    started = space.started(*argv)
    started.until("Waiting for deployment")
    began, earlier = space.get(), space.every("Pod")
    space.kubectl("set", "image", DEPLOY, f"app={space.image('v3')}").expect(0)
    ran = started.ended().expect(5)
    record(space, Situation(ends=5), "superseded", earlier, began)

    assert "superseded: kubectl" in ran.outcome
    assert "changed the Pod template" in ran.outcome


def test_a_revision_that_is_not_the_current_one_is_an_error_in_kubectls_words(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    words = "desired revision (7) is different from the running revision (1)"

    assert words in status(space, "--revision", "7").expect(1).err
    status(space, "--revision", "1").expect(0)


def test_explain_tells_what_is_wrong_from_one_read_and_changes_nothing(space: Space) -> None:
    rolled(space, tag="never-pushed")
    status(space, "--patience", "5s", "--timeout", "30s").expect(4)
    ran = space.backout("explain", DEPLOY, "--patience", "0s").expect(4)

    assert "never-pushed is gone from the registry, or never was there" in ran.out
    assert "[IMAGE_NOT_FOUND]" in ran.out
    assert space.wrote() == []
    assert space.wrote() == []


def test_explain_of_a_rollout_that_is_complete_and_of_one_under_way(space: Space) -> None:
    space.deploy(space.version("v1"))
    fine = space.backout("explain", DEPLOY).expect(0)
    space.roll(space.version("v2", env={"READY": "never"}))
    going = space.backout("explain", DEPLOY).expect(5)

    assert fine.outcome == "deployment/shop is rolled out"
    assert "is progressing\n  Waiting for deployment" in going.both
    assert "ERROR" not in going.both


def test_after_a_failed_rollback_the_next_candidate_is_named_with_its_line(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.roll(space.version("missing-too"))
    ran = space.undo("--to-revision", "2", *accepting("PF301")).expect(4)

    (line,) = [s.strip() for s in ran.err.splitlines() if "next candidate, " in s]
    assert line.startswith(
        "try the next candidate, revision 1 (newest other revision with Ready Pods"
    )
    assert line.endswith(f"backout undo deployment/shop -n {space.name} --to-revision 1")
