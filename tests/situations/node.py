"""What happens to the node under a rollout. The sandbox has one: these run alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.cluster.space import until
from tests.situations.failing import watched_for_long
from tests.situations.healthy import LONGER_THAN_PATIENCE, unplaced
from tests.situations.situation import Situation

if TYPE_CHECKING:
    from tests.cluster.space import Space


def a_taint(space: Space) -> None:
    taint = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
    space.change_node({"spec": {"taints": [taint]}}, {"spec": {"taints": None}})


def new_pod(space: Space) -> dict[str, Any] | None:
    """Return the second version's Pod once it is Ready."""
    for pod in space.pods(image=space.image("v2")):
        conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
        if conditions.get("Ready") == "True":
            return pod
    return None


def the_node_goes_silent(space: Space) -> None:
    until("the new Pod is Ready", lambda: new_pod(space))
    space.until_closed(space.cluster.stopped("kubelet"))


def the_node_is_drained(space: Space) -> None:
    """Cordon and evict as `kubectl drain` does; the node comes back after a while."""
    pod = until("the new Pod is Ready", lambda: new_pod(space))
    space.change_node({"spec": {"unschedulable": True}}, {"spec": {"unschedulable": None}})
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": space.name},
    }
    space.api.call("POST", f"/api/v1/namespaces/{space.name}/pods/{name}/eviction", eviction)
    since = until("a Pod without a node", lambda: unplaced(space))["since"]
    until(
        "longer than an unplaced Pod is waited for",
        lambda: (
            (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
            > LONGER_THAN_PATIENCE
        ),
    )
    space.change_node({"spec": {"unschedulable": None}}, {})


def watched_for_a_while(space: Space) -> None:
    space.merge({"spec": {"minReadySeconds": 8}})


FAILING_ON_IT = {
    "node tainted": Situation(code="UNSCHEDULABLE", prepare=a_taint),
    "node gone": Situation(
        code="NODE_LOST",
        final=False,
        prepare=watched_for_long,
        meanwhile=the_node_goes_silent,
        ends=5,
    ),
}
HEALTHY_ON_IT = {
    "a drain in the middle": Situation(prepare=watched_for_a_while, meanwhile=the_node_is_drained)
}
ON_THE_NODE = {**FAILING_ON_IT, **HEALTHY_ON_IT}
