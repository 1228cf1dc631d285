"""A rollback to a revision that cannot come up: exit 4, and the cause in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.command import accepting

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

CONFIG = {"envFrom": [{"configMapRef": {"name": "never-made"}}]}
SECRET = {
    "env": [
        {
            "name": "PASSWORD",
            "valueFrom": {"secretKeyRef": {"name": "never-made", "key": "password"}},
        }
    ]
}
VOLUME = {"volumes": [{"name": "settings", "configMap": {"name": "never-made"}}]}
MOUNT = {"volumeMounts": [{"name": "settings", "mountPath": "/settings"}]}
ANYWAY = accepting("PF121")
"""Pods of the target may still run, and answer badly."""
COMMAND = {"command": ["/no-such-program"]}


def undone_to(space: Space, *words: str, image: str = "", deadline: int = 30, **how: Any) -> Ran:
    """Roll back to a first revision that is made like this; it ends in failure."""
    version = space.version(image=image or space.image("v1"), **how)
    space.deploy(version, serve=False, up=False, progressDeadlineSeconds=deadline)
    space.roll(space.version("v2"), up=True)
    ran = space.undo("--to-revision", "1", *words).expect(4)
    assert "successfully rolled out" not in ran.both
    assert (
        "deployment/shop was set to revision 1, now revision 3; its rollout failed: " in ran.outcome
    )
    record = space.records()[-1]
    assert (record["state"], record["verdict"]) == ("FAILED", "Failed")
    assert record["causes"], str(ran)
    [event] = space.events()
    assert (event["type"], event["reason"]) == ("Warning", "RollbackFailed")
    return ran


def told(space: Space) -> list[str]:
    """Return the codes of the causes that the journal has as final."""
    lines = (e for e in space.journal_lines() if e["event"] == "cause")
    return [e["code"] for e in lines if e["final"]]


def codes(space: Space) -> list[str]:
    return [c.split()[0] for c in space.records()[-1]["causes"]]


def test_a_missing_tag_is_named(space: Space) -> None:
    image = space.image("never-pushed")

    ran = undone_to(space, *accepting("PF301"), image=image)

    assert f"image {image} is gone from the registry, or never was there" in ran.err
    assert codes(space) == told(space) == ["IMAGE_NOT_FOUND"]


@pytest.mark.every_case
def test_a_readiness_probe_whose_path_the_application_does_not_have_is_final_at_once(
    space: Space,
) -> None:
    ran = undone_to(space, probe="/not-there", deadline=60)

    assert "the readinessProbe of container app asks /not-there on 8080" in ran.err, str(ran)
    assert "HTTP probe failed with statuscode: 404" in ran.err
    assert "other revisions answer /ready" in ran.err
    assert codes(space) == told(space) == ["PROBE_READINESS"]


def test_the_deadline_that_the_user_set_is_honoured_with_the_cause_that_is_suspected(
    space: Space,
) -> None:
    """No other revision asks another path, so that nothing proves the 404 to be final."""
    bad = {"probe": "/not-there"}
    space.deploy(space.version("v1", **bad), serve=False, up=False, progressDeadlineSeconds=6)
    space.roll(space.version("v2", **bad), up=False)

    ran = space.undo("--to-revision", "1", *ANYWAY).expect(4)

    assert "no progress for 6 s (progressDeadlineSeconds)" in ran.err
    assert "asks /not-there on 8080" in ran.err, str(ran)
    assert codes(space) == ["PROBE_READINESS"]
    assert told(space) == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("how", "what"),
    [
        pytest.param({"container": CONFIG}, 'configmap "never-made" not found', id="ConfigMap"),
        pytest.param({"container": SECRET}, 'secret "never-made" not found', id="Secret"),
        pytest.param(
            {"container": MOUNT, "spec": VOLUME},
            'configmap "never-made" not found',
            id="ConfigMap as a volume",
        ),
    ],
)
def test_a_missing_configmap_or_secret_is_named(
    space: Space, how: dict[str, Any], what: str
) -> None:
    ran = undone_to(space, *accepting("PF201"), "--patience", "10s", **how)

    assert what in ran.err, str(ran)
    assert codes(space) == told(space) == ["CONFIG_MISSING"]


def test_a_crash_is_named_with_its_exit_code(space: Space) -> None:
    ran = undone_to(space, env={"CRASH": "37"}, deadline=6)

    assert "no progress for 6 s (progressDeadlineSeconds)" in ran.err
    assert "container app ends with exit 37" in ran.err, str(ran)
    assert codes(space) == ["CRASH_LOOP"]
    [pod] = space.pods(image=space.image("v1"))
    log = f"kubectl logs {pod['metadata']['name']} -n {space.name} -c app --previous"
    assert log in ran.err, str(ran)


@pytest.mark.every_case
def test_a_program_that_is_not_in_the_image_is_named(space: Space) -> None:
    ran = undone_to(space, container=COMMAND)

    assert "/no-such-program" in ran.err
    assert codes(space) == told(space) == ["CONTAINER_START"]


def test_the_time_out_is_undecided_and_tells_what_was_suspected(space: Space) -> None:
    space.deploy(space.version("v1", probe="/not-there"), serve=False, up=False)
    space.roll(space.version("v2", probe="/not-there", env={"LATER": "1"}), up=False)

    ran = space.undo("--to-revision", "1", "--timeout", "8s", *ANYWAY).expect(5)

    assert "not finished when time was up" in ran.err
    assert "readinessProbe" in ran.both
    assert space.records()[-1]["state"] == "APPLIED", "open, to be resumed"
