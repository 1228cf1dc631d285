"""What one Pod asks for: containers, init containers, sidecars, overhead, Pod-level resources."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.kubernetes import quantity
from backout.core.room import demand, quotas
from backout.core.room.admitted import admitted


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
        # Overhead counts where nothing else is asked for; a limit of the whole Pod only there, too.
        ({"containers": [{}], "overhead": {"cpu": "250m"}}, "250m"),
        ({"containers": [container("1")], "resources": {"limits": {"cpu": "2"}}}, "1"),
        ({"containers": [{}], "resources": {"limits": {"cpu": "2"}}}, "2"),
    ],
)
def test_requests_are_those_of_the_scheduler(spec: Any, cpu: str) -> None:
    assert demand.requests({"spec": spec})["cpu"] == quantity.value(cpu)


@pytest.mark.parametrize(("own", "cpu"), [({}, None), ({"cpu": "1"}, "1250m")])
def test_overhead_counts_for_limits_only_where_there_is_one(own: Any, cpu: str | None) -> None:
    spec = {"containers": [{"resources": {"limits": own}}], "overhead": {"cpu": "250m"}}

    assert demand.limits({"spec": spec}).get("cpu") == (quantity.value(cpu) if cpu else None)


def filled(containers: list[Any], *ranges: Any, **spec: Any) -> Any:
    limits = [{"spec": {"limits": [{"type": "Container", **r}]}} for r in ranges]
    return admitted({"spec": {"containers": containers, **spec}}, limits, {})


DEFAULTS = {"default": {"cpu": "2"}, "defaultRequest": {"cpu": "300m"}}


@pytest.mark.parametrize(
    ("resources", "request_", "limit"),
    [
        ({}, "300m", "2"),
        ({"requests": {"cpu": "1"}}, "1", "2"),
        # A limit of its own stands for the request before a LimitRange is asked.
        ({"limits": {"cpu": "1"}}, "1", "1"),
        ({"limits": {"cpu": "1"}, "requests": {"cpu": "0"}}, "0", "1"),
        ({"requests": {"memory": "1Gi"}}, "300m", "2"),
    ],
)
def test_a_limit_range_fills_in_what_a_container_does_not_say(
    resources: Any, request_: str, limit: str
) -> None:
    whole = filled([{"name": "c", "resources": resources}], DEFAULTS)

    assert demand.requests(whole)["cpu"] == quantity.value(request_)
    assert demand.limits(whole)["cpu"] == quantity.value(limit)


def test_init_containers_and_sidecars_are_filled_in_as_well() -> None:
    sidecars = [{"name": "s", "restartPolicy": "Always"}]
    whole = filled([{"name": "c"}], DEFAULTS, initContainers=sidecars)

    assert demand.requests(whole)["cpu"] == quantity.value("600m")


def test_of_several_limit_ranges_the_smallest_default_is_what_is_certain() -> None:
    whole = filled([{"name": "c"}], DEFAULTS, {"defaultRequest": {"cpu": "50m"}})

    assert demand.requests(whole)["cpu"] == quantity.value("50m")


def test_a_template_is_left_as_it_is_and_a_quota_that_counts_best_effort_no_longer_holds() -> None:
    bare: Any = {"spec": {"containers": [{"name": "c"}]}}
    whole = admitted(bare, [{"spec": {"limits": [{"type": "Container", **DEFAULTS}]}}], {})

    assert bare == {"spec": {"containers": [{"name": "c"}]}}
    assert (demand.is_best_effort(bare), demand.is_best_effort(whole)) == (True, False)


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
