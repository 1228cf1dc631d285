"""When a node may take Pods again, so that `no node takes it` is not yet final."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backout.core.diagnosis import placement
from backout.core.diagnosis.causes import Cause, of_pod
from backout.core.diagnosis.groups import Rule
from tests.objects.metadata import condition
from tests.objects.nodes import node
from tests.objects.pods import pod

DEDICATED = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
NEW = {"key": "node.cloudprovider.kubernetes.io/uninitialized", "effect": "NoSchedule"}
PREFERS = {"key": "spot", "effect": "PreferNoSchedule"}


def tainted(*taints: dict[str, str], **more: Any) -> dict[str, Any]:
    return node(taints=list(taints), **more)


def told(kept_off: int) -> list[Cause]:
    text = f"0/{kept_off} nodes are available: {kept_off} node(s) had untolerated taint(s)."
    return [of_pod("UNSCHEDULABLE", pod(), f"no node takes it: {text}", f"PodScheduled: {text}")]


@pytest.mark.parametrize(
    ("nodes", "may"),
    [
        ([tainted(DEDICATED)], False),
        ([tainted(DEDICATED), node()], False),
        ([tainted(DEDICATED), tainted(PREFERS)], False),
        ([tainted(DEDICATED, unschedulable=True)], True),
        ([tainted(DEDICATED, ready="Unknown")], True),
        ([tainted(CORDON)], True),
        ([tainted(NEW)], True),
    ],
)
def test_a_node_that_is_away_may_come_back_and_one_kept_for_others_does_not(
    nodes: list[dict[str, Any]], *, may: bool
) -> None:
    assert placement.may_return(nodes, told(1)) is may


@pytest.mark.parametrize("nodes", [[node()], [tainted(PREFERS)], []])
def test_where_fewer_nodes_have_a_taint_than_were_counted_the_word_is_of_the_past(
    nodes: list[dict[str, Any]],
) -> None:
    """What a drain leaves for a moment: the node is back, the Pod's condition is not."""
    assert placement.may_return(nodes, told(1))
    assert placement.may_return([tainted(DEDICATED), *nodes], told(2))


def test_only_a_scheduler_that_names_no_taint_asks_for_the_nodes() -> None:
    assert placement.asks_for_nodes(told(1))
    text = "PodScheduled: 0/1 nodes are available: 1 Insufficient cpu."
    assert not placement.asks_for_nodes([of_pod("UNSCHEDULABLE", pod(), text, text)])


@pytest.mark.parametrize(
    ("volume", "claim"),
    [
        ({"name": "tmp", "ephemeral": {"volumeClaimTemplate": {}}}, "web-3-a-tmp"),
        ({"name": "tmp", "persistentVolumeClaim": {"claimName": "data"}}, "data"),
    ],
    ids=["the claim that the volume makes for its Pod", "a claim by its name"],
)
def test_what_is_said_of_a_volumes_claim_decides(volume: dict[str, Any], claim: str) -> None:
    unbound = condition("PodScheduled", "False", "Unschedulable", "unbound PersistentVolumeClaims")
    made = pod("web-3-a", of="web-3", ready=False, spec={"volumes": [volume]})
    said = 'storageclass.storage.k8s.io "nope" not found'
    found, other = (
        placement.unplaced(made, unbound, [], placement.Cluster(claims={name: said}), timedelta(0))
        for name in (claim, "another")
    )

    assert found.ground.row.rule is Rule.PATIENCE
    assert found.message.endswith(f"claim {claim}: {said}")
    assert other.ground.row.rule is Rule.DEADLINE
