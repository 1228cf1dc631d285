"""Which node takes a Pod: selectors, affinity, taints, cordons, sizes."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.room import nodes
from tests.objects.nodes import node
from tests.objects.templates import template

NODE = node(labels={"zone": "a", "cores": "8"})
TAINT = {"key": "team", "value": "db", "effect": "NoSchedule"}


def pod_with(resources: Any = None, **spec: Any) -> Any:
    made = template(resources=resources or {})
    made["spec"].update(spec)
    return made


def required(*terms: Any) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    node_affinity = {"requiredDuringSchedulingIgnoredDuringExecution": selector}
    return {"affinity": {"nodeAffinity": node_affinity}}


def asks(operator: str, *values: str, key: str = "zone") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def named(*names: str) -> dict[str, Any]:
    by_name = {"key": "metadata.name", "operator": "In", "values": list(names)}
    return {"matchFields": [by_name]}


@pytest.mark.parametrize(
    ("terms", "fits"),
    [
        ([asks("In", "a", "b")], True),
        ([asks("In", "b")], False),
        ([asks("NotIn", "a")], False),
        ([asks("NotIn", "x", key="absent")], True),
        ([asks("Exists")], True),
        ([asks("Exists", key="absent")], False),
        ([asks("DoesNotExist")], False),
        ([asks("DoesNotExist", key="absent")], True),
        ([asks("Gt", "7", key="cores")], True),
        ([asks("Gt", "8", key="cores")], False),
        ([asks("Lt", "9", key="cores")], True),
        ([asks("Lt", "9")], False),  # zone is no number
        ([named("n1")], True),
        ([named("n2")], False),
        ([asks("In", "b"), named("n1")], True),  # one term is enough
        ([{**asks("In", "b"), **named("n1")}], False),  # all of a term
        ([{}], False),  # an empty term holds for no node
    ],
)
def test_required_affinity_is_any_term_and_all_of_it(terms: Any, fits: Any) -> None:
    assert (nodes.why_not(NODE, pod_with(**required(*terms))) == "") is fits


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "value": "db"}, True),
        ({"key": "team", "operator": "Equal", "value": "db", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "web"}, False),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_is_tolerated_by_key_value_and_effect(toleration: Any, fits: Any) -> None:
    tainted = {**NODE, "spec": {"taints": [TAINT]}}
    why = nodes.why_not(tainted, pod_with(tolerations=[toleration]))

    assert why == ("" if fits else "taint team=db:NoSchedule is not tolerated")


def test_a_taint_that_only_prefers_keeps_nobody_off() -> None:
    preferred = {**NODE, "spec": {"taints": [{**TAINT, "effect": "PreferNoSchedule"}]}}
    assert nodes.why_not(preferred, pod_with()) == ""


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        (pod_with(nodeSelector={"zone": "b"}), "no label zone=b (nodeSelector)"),
        (pod_with({"requests": {"cpu": "4"}}), ""),
        (pod_with({"requests": {"cpu": "5"}}), "it asks for 5 cpu, the whole node has 4"),
        (
            pod_with({"limits": {"nvidia.com/gpu": "1"}}),
            "it asks for 1 nvidia.com/gpu, the whole node has 0",
        ),
    ],
)
def test_the_reason_is_in_words(pod: Any, why: str) -> None:
    assert nodes.why_not(NODE, pod) == why


def test_a_cordoned_node_takes_only_what_tolerates_that() -> None:
    cordoned = {**NODE, "spec": {"unschedulable": True}}
    tolerating = pod_with(tolerations=[{"operator": "Exists"}])

    assert nodes.why_not(cordoned, pod_with()) == "cordoned"
    assert nodes.why_not(cordoned, tolerating) == ""


def test_reasons_are_counted_and_one_node_is_enough() -> None:
    cordoned = {**NODE, "spec": {"unschedulable": True}}
    tainted = {**NODE, "spec": {"taints": [TAINT]}}

    assert nodes.why_none([tainted, cordoned, cordoned], pod_with()) == (
        "2 of 3: cordoned; 1 of 3: taint team=db:NoSchedule is not tolerated"
    )
    assert nodes.why_none([tainted, NODE], pod_with()) == ""


def test_of_no_nodes_and_of_a_pod_that_names_its_node_nothing_is_said() -> None:
    cordoned = {**NODE, "spec": {"unschedulable": True}}

    assert nodes.why_none([], pod_with()) == ""
    assert nodes.why_none([cordoned], pod_with(nodeName="n9")) == ""
