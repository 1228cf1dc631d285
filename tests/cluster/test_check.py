"""`backout check`: every check of an undo, nothing changed, and an answer for a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"


def check(space: Space, *words: str) -> Ran:
    return space.backout("check", DEPLOY, *words)


def test_a_workload_that_could_be_rolled_back_is_told_where_to_and_nothing_is_changed(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    before = space.get()["metadata"]["resourceVersion"]
    ran = check(space).expect(0)

    assert ran.outcome.startswith(f"deployment/{SHOP} could be rolled back to revision 1")
    assert "target: revision 1, newest other revision with Ready Pods" in ran.out
    assert space.get()["metadata"]["resourceVersion"] == before
    assert space.wrote() == []
    assert space.lease() is None
    assert space.undo().expect(0).outcome.startswith(f"deployment/{SHOP} rolled back")


def test_what_blocks_is_exit_3_with_the_line_of_the_undo_that_goes_on_anyway(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.merge({"spec": {"paused": True}})
    ran = check(space, "-o", "json").expect(3)
    last = ran.events[-1]

    assert last["message"] == f"deployment/{SHOP} would not be rolled back (PF105)"
    assert f"backout undo {DEPLOY}" in last["remedy"]
    assert last["remedy"].endswith("--resume")
    assert space.wrote() == []


def test_the_number_of_requests_is_told_and_does_not_grow_with_the_pods(space: Space) -> None:
    space.deploy(space.version("v1"), replicas=1)
    space.roll(space.version("v2"), up=True)
    counted = []
    for replicas in (1, 4):
        space.merge({"spec": {"replicas": replicas}})
        space.rolled_out()
        ran = check(space, "-o", "json").expect(0)
        (told,) = [e for e in ran.events if e["event"] == "checked"]
        counted.append(told["requests"])

    assert counted[0] == counted[1]


def test_strict_makes_a_warning_refuse_unless_it_is_accepted(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)
    ran = check(space, "--strict").expect(3)
    line = ran.line("to go on anyway: ").removeprefix("to go on anyway: backout ")
    ids = {w for w in line.split() if w.startswith("PF")}

    assert "PF110" in ids
    accepted = [w for one in sorted(ids) for w in ("--accept", one)]
    space.undo("--strict", *accepted, "--reason", "known").expect(0)


def test_a_workload_with_nothing_to_go_back_to_is_told(space: Space) -> None:
    space.deploy(space.version("v1"))
    ran = check(space).expect(3)

    assert "PF104" in ran.findings()
    assert "would not be rolled back (PF104)" in ran.outcome


def test_one_that_does_not_exist_is_an_error(space: Space) -> None:
    ran = space.backout("check", "deploy/never-made").expect(1)

    assert ran.err.startswith("ERROR: ")
