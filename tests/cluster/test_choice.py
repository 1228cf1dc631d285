"""Which revision an undo goes to: the one with proof, not simply the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.space import Space


def two_bad_deploys_in_a_row(space: Space, name: str) -> None:
    """Revision 1 is good and its Pods run; 2 crashes; 3 has an image that never was."""
    space.deploy(space.version("v1"), name=name, serve=False)
    space.roll(space.version("v2", env={"CRASH": "3"}), name=name)
    space.roll(space.version("missing"), name=name)


def test_after_two_bad_deploys_it_goes_to_the_good_one_whose_pods_still_run(space: Space) -> None:
    two_bad_deploys_in_a_row(space, "shop")

    ran = space.undo().expect(0)

    assert "target: revision 1, newest other revision with Ready Pods (1 now)" in ran.out
    assert ran.line("passed over:") == "passed over: revision 2, no Pod of it is Ready"
    assert ran.line("kubectl rollout") == "kubectl rollout undo would go to revision 2"
    assert space.image_now() == space.image("v1")
    assert space.template()["spec"]["containers"][0].get("env", []) == []


def test_kubectl_itself_would_have_gone_to_the_first_bad_one(space: Space) -> None:
    two_bad_deploys_in_a_row(space, "twin")
    told = space.undo("--dry-run", name="twin").expect(0)

    space.kubectl("rollout", "undo", "deploy/twin").expect(0)

    assert "kubectl rollout undo would go to revision 2" in told.out
    assert space.image_now("twin") == space.image("v2")
    assert space.template("twin")["spec"]["containers"][0]["env"] == [
        {"name": "CRASH", "value": "3"}
    ]


@pytest.mark.every_case
def test_where_kubectl_goes_the_same_way_nothing_is_said_of_it(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    assert "kubectl rollout" not in space.undo("--dry-run").expect(0).out


def test_a_second_undo_does_not_go_back_to_the_bad_revision(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.undo("--reason", "v2 loses orders").expect(0)

    ran = space.undo().expect(3)

    assert "nothing to go back to: every other revision of deployment/shop (2) is known" in ran.err
    assert "PF104" in ran.findings()
    assert "--to-revision 2 goes there all the same" in ran.err
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_a_second_undo_goes_further_back_past_the_bad_revision(space: Space) -> None:
    space.deploy(space.version("v1", env={"GOOD": "oldest"}), serve=False)
    space.roll(space.version("v1"), up=True)
    space.roll(space.version("v2"), up=True)
    space.undo().expect(0)

    ran = space.undo().expect(0)

    passed_over = "passed over: revision 3, known to be bad: rolled back by "
    assert ran.line("passed over:").startswith(passed_over)
    assert "rollback triggered for deployment/shop to revision=1" in ran.out
    assert space.template()["spec"]["containers"][0]["env"] == [{"name": "GOOD", "value": "oldest"}]


@pytest.mark.every_case
def test_a_revision_known_to_be_bad_can_be_named(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.undo().expect(0)

    ran = space.undo("--to-revision", "2").expect(0)

    assert "WARN PF109: revision 2 is known to be bad" in ran.err
    assert "rollback triggered for deployment/shop to revision=2" in ran.out
    assert space.image_now() == space.image("v2")


@pytest.mark.every_case
def test_without_running_pods_the_target_is_unproven_and_that_is_said(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: not space.pods(image=space.image("v1")))

    ran = space.undo().expect(0)

    assert "target: revision 1, newest other revision; unproven, was current for" in ran.out
    assert "WARN PF110: revision 1 is unproven: no Pod of it is Ready now" in ran.err
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_the_named_revision_is_obeyed_though_another_has_proof(space: Space) -> None:
    space.deploy(space.version("v2"), serve=False)
    space.roll(space.version("v1"), up=True)
    space.roll(space.version("missing"))

    ran = space.undo("--to-revision", "1").expect(0)

    assert "target: revision 1, asked for by --to-revision" in ran.out
    assert space.image_now() == space.image("v2")
    assert space.records()[-1]["to"]["revision"] == 1
