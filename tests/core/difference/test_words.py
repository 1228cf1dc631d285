from __future__ import annotations

import copy
from typing import Any

import pytest

from backout.core.difference.words import NOTHING, changes, summary

V1: dict[str, Any] = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "shop:v1",
                "env": [{"name": "MODE", "value": "plain"}],
                "resources": {"limits": {"memory": "256Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            }
        ],
    },
}


def with_container(**fields: Any) -> dict[str, Any]:
    made = copy.deepcopy(V1)
    made["spec"]["containers"][0].update(fields)
    return made


def with_spec(**fields: Any) -> dict[str, Any]:
    return {**V1, "spec": {**V1["spec"], **fields}}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "image": (with_container(image="shop:v2"), "image shop:v1 -> shop:v2"),
    "a variable more": (
        with_container(env=[{"name": "MODE", "value": "plain"}, {"name": "CRASH", "value": "3"}]),
        "env CRASH added",
    ),
    "a variable less": (with_container(env=[]), "env MODE removed"),
    "another value": (
        with_container(env=[{"name": "MODE", "value": "hunter2"}]),
        "env MODE changed",
    ),
    "memory": (
        with_container(resources={"limits": {"memory": "64Mi"}}),
        "memory limit 256Mi -> 64Mi",
    ),
    "no limit": (with_container(resources={}), "memory limit 256Mi -> none"),
    "a probe's path": (
        with_container(readinessProbe={"httpGet": {"path": "/wrong", "port": 8080}}),
        "readiness probe changed",
    ),
    "no probe": (with_container(readinessProbe=None), "readiness probe removed"),
    "command": (with_container(command=["/app", "--token=hunter2"]), "command added"),
    "volume": (with_spec(volumes=[{"name": "data", "emptyDir": {}}]), "volume data added"),
    "scheduling": (with_spec(nodeSelector={"disk": "ssd"}), "node selector disk added"),
    "grace": (
        with_spec(terminationGracePeriodSeconds=60),
        "termination grace period none -> 60",
    ),
    "a switch": (with_spec(hostNetwork=True), "hostNetwork none -> true"),
    "a container more": (
        with_spec(containers=[*V1["spec"]["containers"], {"name": "side", "image": "side:v1"}]),
        "container side added",
    ),
    "annotation": (
        {**V1, "metadata": {**V1["metadata"], "annotations": {"team": "a"}}},
        "annotation team added",
    ),
    "the same": (copy.deepcopy(V1), NOTHING),
}


@pytest.mark.parametrize("name", CASES)
def test_each_change_has_its_words(name: str) -> None:
    after, words = CASES[name]

    told = summary(V1, after)

    assert told == words
    assert "hunter2" not in told


def test_images_come_first_and_many_changes_are_counted() -> None:
    names = [{"name": f"N{n}", "value": "1"} for n in range(9)]
    after = with_container(image="shop:v2", env=names)

    assert summary(V1, after, most=2) == "image shop:v1 -> shop:v2; env MODE removed; and 9 more"


def test_of_several_containers_the_changed_one_is_named() -> None:
    side = {"name": "side", "image": "side:v1"}
    before = with_spec(containers=[*V1["spec"]["containers"], side])
    after = with_spec(containers=[*V1["spec"]["containers"], {**side, "image": "side:v2"}])

    assert changes(before, after) == ("container side: image side:v1 -> side:v2",)
