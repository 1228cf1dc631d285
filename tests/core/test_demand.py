"""What one Pod asks for: containers, init containers, sidecars, overhead, Pod-level resources."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core import demand, quantity, quotas


def container(cpu: str, **more: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}


def sidecar(cpu: str) -> dict[str, Any]:
    return container(cpu, restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container("100m"), container("200m")]}, "300m"),
        ({"containers": [container("100m")], "initContainers": [container("1")]}, "1"),
        ({"containers": [container("1")], "initContainers": [container("100m")] * 3}, "1"),
        ({"containers": [container("1")], "initContainers": [sidecar("500m")]}, "1500m"),
        # A later init container runs beside the sidecar, an earlier one does not.
        ({"containers": [], "initContainers": [sidecar("1"), container("2")]}, "3"),
        ({"containers": [], "initContainers": [container("2"), sidecar("1")]}, "2"),
        ({"containers": [container("1")], "overhead": {"cpu": "250m"}}, "1250m"),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "2"}}}, "2"),
        ({"containers": [{"resources": {"limits": {"cpu": "3"}}}]}, "3"),
    ],
)
def test_requests_are_those_of_the_scheduler(spec: Any, cpu: str) -> None:
    assert demand.requests({"spec": spec})["cpu"] == quantity.value(cpu)


def priority(operator: str, *values: str) -> dict[str, Any]:
    expression = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [expression]}}


@pytest.mark.parametrize(
    ("scope", "pod", "holds"),
    [
        ({}, {}, True),
        ({"scopes": ["BestEffort"]}, {"containers": [{}]}, True),
        ({"scopes": ["BestEffort"]}, {"containers": [container("1")]}, False),
        ({"scopes": ["NotBestEffort"]}, {"containers": [container("1")]}, True),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["NotTerminating", "BestEffort"]}, {"containers": [container("1")]}, False),
        (priority("In", "high"), {"priorityClassName": "high"}, True),
        (priority("In", "high"), {"priorityClassName": "low"}, False),
        (priority("NotIn", "high"), {"priorityClassName": "low"}, True),
        # A default PriorityClass may be filled in: not certain, so passed over.
        (priority("In", "high"), {}, False),
        (priority("DoesNotExist"), {}, False),
        ({"scopes": ["SomethingNew"]}, {}, False),
    ],
)
def test_a_quota_counts_where_all_its_scopes_hold_for_certain(
    scope: Any, pod: Any, holds: Any
) -> None:
    assert quotas.in_scope({"spec": scope}, {"spec": pod}) is holds
