"""Refusals: exit 3, nothing changed, the reason, and the line that goes on anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import accepting, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.command import Ran
    from tests.cluster.space import Space


def refused(space: Space, ran: Ran, *ids: str) -> Ran:
    """Assert a refusal with these ids, and that backout has written nothing."""
    ran.expect(3)
    assert ran.err.splitlines()[0].startswith(("✗ ", "! ", "WARN ")), str(ran)
    assert f"✗ Not rolled back ({', '.join(ids)}). Nothing was changed." in ran.err, str(ran)
    assert "rollback triggered" not in ran.both
    assert space.wrote() == []
    assert space.lease() is None
    return ran


def test_already_on_the_target_revision(space: Space) -> None:
    space.deploy(space.version("v1"), up=False, replicas=0)

    ran = refused(space, space.undo("--to-revision", "1"), "PF102")

    assert "already on target revision" in ran.err
    assert "to roll back anyway" not in ran.err


@pytest.mark.every_case
def test_an_unknown_revision_lists_those_that_exist(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)

    ran = refused(space, space.undo("--to-revision", "7"), "PF101")

    assert "there is no revision 7 of deployment/shop; existing: 2, 1" in ran.err
    assert f"backout history deployment/shop -n {space.name}" in ran.err


@pytest.mark.every_case
def test_one_revision_only_is_nothing_to_go_back_to(space: Space) -> None:
    space.deploy(space.version("v1"), up=False, replicas=0)

    ran = refused(space, space.undo(), "PF104")

    assert "nothing to go back to: deployment/shop has one revision only" in ran.err
    assert "revisionHistoryLimit is 10" in ran.err


def test_without_a_history_there_is_nothing_to_go_back_to(space: Space) -> None:
    # Paused from birth: the controller makes no ReplicaSet at all.
    space.deploy(space.version("v1"), up=False, paused=True)

    ran = refused(space, space.undo(), "PF103")

    assert 'no rollout history found for deployment "shop"' in ran.err


@pytest.mark.every_case
def test_a_history_limit_of_one_is_warned_about_with_its_value(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False, revisionHistoryLimit=1)
    space.roll(space.version("missing"))

    ran = space.undo().expect(0)

    assert "WARN PF108: revisionHistoryLimit is 1: " in ran.err


@pytest.mark.every_case
def test_a_history_limit_of_zero_leaves_nothing_and_the_value_is_told(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False, revisionHistoryLimit=0)
    space.roll(space.version("v2"), up=True)
    space.kubectl("wait", "--for=delete", f"rs/{first_set(space)}", "--timeout=30s")

    ran = refused(space, space.undo(), "PF104")

    assert "revisionHistoryLimit is 0" in ran.err


def first_set(space: Space) -> str:
    sets = space.revisions()
    return str(sets[1]["metadata"]["name"]) if 1 in sets else "gone-already"


def test_a_paused_deployment_is_refused_with_the_line_that_resumes_it(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.merge({"spec": {"paused": True}})
    space.observed()

    ran = refused(space, space.undo(), "PF105")

    assert "the Deployment is paused" in ran.err
    line = ran.line("to roll back anyway: ").removeprefix("to roll back anyway: ")
    assert line == f"backout undo deploy/shop -n {space.name} --unpause"


def test_resume_unpauses_in_the_same_write(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.merge({"spec": {"paused": True}})
    space.observed()

    space.undo("--unpause").expect(0)

    assert len(space.audited("patch", "deployments")) == 1
    assert space.get()["spec"].get("paused", False) is False
    assert space.image_now() == space.image("v1")


def test_a_change_made_while_paused_is_undone_without_a_revision_of_its_own(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.merge({"spec": {"paused": True}})
    space.roll(space.version("missing"))

    ran = space.undo("--unpause").expect(0)

    assert "has a new template, and no revision of it yet" in ran.out
    assert space.image_now() == space.image("v1")


@pytest.fixture
def being_deleted(space: Space) -> Iterator[Space]:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.merge({"metadata": {"finalizers": ["backout.dev/held-by-a-test"]}})
    space.api.delete(space.name, "Deployment", "shop")
    yield space
    space.merge({"metadata": {"finalizers": []}})


def test_a_deployment_that_is_being_deleted_is_refused(being_deleted: Space) -> None:
    ran = refused(being_deleted, being_deleted.undo(), "PF111")

    assert "the Deployment is being deleted since " in ran.err
    assert "--accept PF111 --reason 'WHY'" in ran.line("to roll back anyway: ")

    being_deleted.undo(*accepting("PF111"), "--timeout", "8s").expect(5)
    assert being_deleted.image_now() == being_deleted.image("v1")
    assert not being_deleted.pods(image=being_deleted.image("v1"))


@pytest.mark.every_case
def test_a_deployment_that_only_has_a_finalizer_is_rolled_back(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.merge({"metadata": {"finalizers": ["backout.dev/held-by-a-test"]}})
    ran = space.undo().expect(0)
    space.merge({"metadata": {"finalizers": []}})

    assert "PF111" not in ran.findings()


def test_a_workload_that_is_not_there_is_an_error_and_not_a_refusal(space: Space) -> None:
    ran = space.undo(name="shopp").expect(1)

    assert 'deployments.apps "shopp" not found' in ran.err
    assert space.name in ran.both
    assert space.wrote() == []


def test_the_line_that_goes_on_keeps_every_word_of_the_command(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))
    space.merge({"spec": {"paused": True}})
    space.observed()

    ran = space.undo("--reason", "it's 3 a.m.; $HOME", "--patience", "61s").expect(3)
    line = ran.line("to roll back anyway: ").removeprefix("to roll back anyway: ")
    run(["bash", "-c", f"{line} --yes"], space.environment).expect(0)

    assert "--patience 61s" in line
    assert space.records()[-1]["reason"] == "it's 3 a.m.; $HOME"


@pytest.mark.every_case
def test_a_refusal_during_an_outage_says_that_it_leaves_the_outage(space: Space) -> None:
    space.deploy(space.version("missing"), up=False)

    ran = refused(space, space.undo(), "PF104")

    assert "no Pod of deployment/shop is Ready: refusing leaves the outage as it is" in ran.err
