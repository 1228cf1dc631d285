from __future__ import annotations

import json
from typing import Any

import pytest

from backout.core.heal.last_applied import LAST_APPLIED
from backout.core.heal.next_deploy import Brings, by_client, by_server, client_harm, server_harm
from tests.objects.deployments import deployment
from tests.objects.managed_fields import entry, fields_of, workload


def pod(*volumes: Any, **container: Any) -> Any:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", **container}], "volumes": list(volumes)},
    }


def live(template: Any) -> Any:
    """Return a template with a default that no manifest has."""
    return {**template, "spec": {**template["spec"], "restartPolicy": "Always"}}


V1, V2, V3 = (pod(image=v, resources={"limits": {"cpu": "1000m"}}) for v in ("v1", "v2", "v3"))


@pytest.mark.parametrize(
    ("applied", "brings"),
    [(V2, Brings.CURRENT), (V1, Brings.TARGET), (V3, Brings.OTHER), ("x", Brings.UNKNOWN)],
)
def test_what_was_applied_last_is_compared_with_the_current_template_and_the_target(
    applied: Any, brings: Brings
) -> None:
    text = json.dumps({"spec": {"template": applied}})
    found = deployment(live(V2), metadata={"annotations": {LAST_APPLIED: text}})

    assert by_client(found, live(V1)) is brings


@pytest.mark.parametrize(
    ("mine", "brings"),
    [
        (V2, Brings.CURRENT),
        (pod(resources={"limits": {"cpu": "1000m"}}), Brings.TARGET),
    ],
    ids=["the image, too", "what the rollback leaves"],
)
def test_an_applier_brings_the_current_template_where_the_rollback_changes_a_field_of_his(
    mine: Any, brings: Brings
) -> None:
    found = workload(live(V2), entry("ci", fields_of(mine)), entry("other", fields_of(V2)))

    assert by_server(found, live(V1), "ci") is brings


OLD = pod(
    {"name": "scratch", "emptyDir": {}},
    image="v1",
    env=[{"name": "OLD", "value": "1"}, {"name": "SRC", "value": "1"}],
    readinessProbe={"httpGet": {"path": "/", "port": 80}},
)
BAD = pod(
    image="v2",
    env=[{"name": "SRC", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
    readinessProbe={"tcpSocket": {"port": 80}},
)


def test_without_a_cure_what_the_bad_manifest_dropped_would_stay_and_choices_be_refused() -> None:
    words = client_harm(deployment(BAD), OLD)

    assert words == (
        "a corrected deploy would keep containers[app].env[OLD], containers[app].env[SRC].value, "
        "containers[app].readinessProbe.httpGet and 1 more, and be refused (422) where it sets "
        "another field in place of containers[app].env[SRC].value, "
        "containers[app].readinessProbe.httpGet"
    )


def test_without_a_cure_a_server_side_apply_meets_conflicts() -> None:
    words = server_harm(deployment(BAD), OLD)

    assert "a corrected deploy would meet a conflict with backout over containers[app]" in words
    assert "; with --force-conflicts it would keep containers[app].env[OLD]" in words


def test_where_nothing_comes_back_a_corrected_client_side_apply_works_without_a_cure() -> None:
    assert client_harm(deployment(V2), V1) == ""
    assert "containers[app].image" in server_harm(deployment(V2), V1)
