from __future__ import annotations

from typing import Any

import pytest

from backout.core.health.selected import others, takes_only
from tests.objects.deployments import deployment


def service(**selector: str) -> dict[str, Any]:
    return {"metadata": {"name": "front"}, "spec": {"selector": selector}}


def labelled(name: str, phase: str = "Running", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("selector", "only"),
    [
        ({"app": "web"}, True),
        ({"app": "web", "track": "stable"}, True),
        ({"tier": "front"}, False),
        ({}, False),
    ],
)
def test_a_service_that_asks_for_all_that_the_workload_does_takes_its_pods_alone(
    selector: dict[str, str], *, only: bool
) -> None:
    assert takes_only(service(**selector), {"matchLabels": {"app": "web"}}) is only


def test_an_expression_may_select_less_than_the_labels_do() -> None:
    expression = {"key": "track", "operator": "Exists"}
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [expression]}
    assert not takes_only(service(app="web"), selector)


def test_pods_of_others_that_run_are_named_and_those_of_the_workload_are_not() -> None:
    own = labelled("web-1", app="web", tier="front")
    ended = labelled("job-1", "Succeeded", tier="front")
    api = [labelled(f"api-{n}", app="api", tier="front") for n in range(3)]

    assert others(service(tier="front"), deployment(), [own, ended]) == ""
    told = others(service(tier="front"), deployment(), [own, *api])
    assert told == (
        "Service front selects Pods of other workloads, too (api-0, api-1 and 1 more): its answers "
        "prove nothing about this one"
    )
