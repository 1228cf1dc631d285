"""OpenShift's image triggers, read as `oc set triggers` reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.owners import image_triggers
from backout.core.owners.image_triggers import Trigger
from tests.objects.deployments import deployment

LATEST = {"kind": "ImageStreamTag", "name": "app:latest"}
BY_NAME = 'spec.template.spec.containers[?(@.name=="app")].image'


def workload(*triggers: Any, text: str | None = None) -> dict[str, Any]:
    noted = {image_triggers.ANNOTATION: json.dumps(triggers) if text is None else text}
    containers = [{"name": "proxy"}, {"name": "app"}]
    return deployment({"spec": {"containers": containers}}, metadata={"annotations": noted})


def test_a_trigger_is_the_image_stream_s_tag_and_the_container_that_it_sets() -> None:
    elsewhere = {**LATEST, "namespace": "builds"}
    found = image_triggers.active(
        workload(
            {"from": LATEST, "fieldPath": BY_NAME},
            {"from": elsewhere, "fieldPath": "spec.template.spec.containers[0].image"},
        )
    )

    assert found == (
        Trigger(source="app:latest", container="app"),
        Trigger(source="builds/app:latest", container="proxy"),
    )


@pytest.mark.parametrize("paused", [True, "true"], ids=["a boolean", "a string"])
def test_a_trigger_that_is_paused_sets_nothing(paused: Any) -> None:
    one = {"from": LATEST, "fieldPath": BY_NAME}

    assert image_triggers.active(workload({**one, "paused": paused})) == ()
    assert image_triggers.active(workload(one, {**one, "paused": paused})) != ()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "spec.template.spec.containers[2].image",
        "spec.template.spec.containers[*].image",
        "spec.template.spec.initContainers[0].image",
        "spec.template.metadata",
        None,
        7,
    ],
)
def test_a_trigger_whose_container_is_not_told_is_shown_and_not_paused(path: Any) -> None:
    made = workload({"from": LATEST, "fieldPath": path})
    (found,) = image_triggers.active(made)

    assert image_triggers.pause(made, found) == "oc set triggers deploy/web -n shop"


def test_the_command_names_the_trigger_for_without_it_the_deployment_would_be_paused() -> None:
    hostile = workload({"from": {"name": "a b:1"}, "fieldPath": BY_NAME.replace("app", "$(x)")})
    (found,) = image_triggers.active(hostile)

    assert image_triggers.pause(hostile, found) == (
        "oc set triggers deploy/web --from-image 'a b:1' -c '$(x)' --manual -n shop"
    )


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers(), st.lists).map(json.dumps)))
def test_what_is_no_list_of_triggers_is_refused_or_holds_none(text: str) -> None:
    try:
        found = image_triggers.active(workload(text=text))
    except ValueError:
        return
    assert found == ()
