"""Which revision an undo goes to: the one with proof, not simply the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import accepting
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

    assert "newest other revision with Ready Pods (1 now)" in ran.out
    assert (
        ran.line("note     not chosen:") == "note     not chosen: revision 2, no Pod of it is Ready"
    )
    assert ran.line("note     kubectl") == "note     kubectl rollout undo would go to revision 2"
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

    assert "already rolled back to revision 1 (now revision 3)" in ran.err
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_restarted_in_between_or_not_it_goes_further_back_only_to_what_is_named(
    space: Space,
) -> None:
    space.deploy(space.version("v1", env={"GOOD": "oldest"}), serve=False)
    space.roll(space.version("v1"), up=True)
    space.roll(space.version("v2"), up=True)
    space.undo().expect(0)
    space.kubectl("rollout", "restart", "deploy/shop").expect(0)
    space.rolled_out()

    ran = space.undo().expect(3)

    assert "already rolled back to revision 2 (now revision 5)" in ran.err
    further = ran.line("roll back further, to revision 1 (")
    assert "env" not in space.template()["spec"]["containers"][0]
    assert "--to-revision 1" in further
    space.undo("--to-revision", "1").expect(0)
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

    assert "unproven, was current for" in ran.out
    assert "WARN PF110: revision 1 is unproven: no Pod of it is Ready now" in ran.err
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_the_named_revision_is_obeyed_though_another_has_proof(space: Space) -> None:
    space.deploy(space.version("v2"), serve=False)
    space.roll(space.version("v1"), up=True)
    space.roll(space.version("missing"))

    ran = space.undo("--to-revision", "1").expect(0)

    assert "asked for by --to-revision" in ran.out
    assert space.image_now() == space.image("v2")
    assert space.records()[-1]["to"]["revision"] == 1


def test_after_somebody_restarted_the_bad_one_it_goes_past_what_runs_the_same(
    space: Space,
) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.kubectl("rollout", "restart", "deploy/shop").expect(0)
    space.rolled_out()
    until("only the newest runs", lambda: len(space.pods()) == space.get()["spec"]["replicas"])

    ran = space.undo().expect(0)

    assert ran.line("note     not chosen:").startswith(
        "note     not chosen: revision 2, it differs from the"
    )
    assert ran.line("note     kubectl") == "note     kubectl rollout undo would go to revision 2"
    assert space.image_now() == space.image("v1")


def test_a_barrier_is_crossed_by_nobody_but_a_person_who_names_the_revision(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    notes = {"backout.dev/barrier": "schema 39; older code refuses it"}
    space.merge({"spec": {"template": {"metadata": {"annotations": notes}}}})
    space.rolled_out()
    space.roll(space.version("missing"))
    space.backout("ledger", "mark", "deploy/shop", "--bad", "--revision", "2", "--reason", "x")

    refused = space.undo().expect(3)
    named = space.undo("--to-revision", "1").expect(3)
    ran = space.undo("--to-revision", "1", *accepting("PF116")).expect(0)

    line = f"backout undo deploy/shop -n {space.name} --to-revision 1 --accept PF116 --reason 'WHY'"
    assert "every revision to go back to lies beyond a barrier" in refused.err
    assert line in refused.err
    assert {"PF116"} == {i for i in refused.findings() if i.startswith("PF11")}
    assert "PF116" in named.findings()
    assert "rollback triggered for deployment/shop to revision=1" in ran.out
    assert "backout.dev/barrier" not in space.template()["metadata"].get("annotations", {})
    assert space.records()[-1]["accepted"] == ["PF116"]


def test_a_healthy_service_is_not_moved_to_what_is_unproven_without_a_reason(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: not space.pods(image=space.image("v1")))

    refused = space.undo().expect(3)
    unasked = space.undo("--health", "9999/x", "--require-health").expect(3)
    ran = space.undo(*accepting("PF906")).expect(0)

    assert "PF906" in refused.findings()
    assert "--reason 'WHY'" in refused.line("to roll back anyway: ")
    assert "PF118" in unasked.findings()
    assert "no Service leads to port 9999" in unasked.err
    assert "WARN PF905" in ran.err
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_a_target_is_named_by_its_image(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.roll(space.version("missing"))

    ran = space.undo("--to-image", "app:v1").expect(0)

    assert "with image app:v1: newest other revision" in ran.out
    assert space.image_now() == space.image("v1")
