"""The twins: rollouts that look like a failure for a while and are none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.cluster.space import until
from tests.situations.failing import probe
from tests.situations.situation import Situation

if TYPE_CHECKING:
    from tests.cluster.space import Space

OPTIONAL = {
    "env": [
        {"name": "REQUIRE_ENV", "value": "DATABASE"},
        {
            "name": "DATABASE",
            "valueFrom": {"configMapKeyRef": {"name": "late", "key": "DATABASE", "optional": True}},
        },
    ]
}
LONGER_THAN_PATIENCE = 33.0


def the_database_comes(space: Space) -> None:
    """Come up once the application has crashed for want of it."""

    def has_restarted() -> bool:
        found = [s for p in space.pods() for s in p["status"].get("containerStatuses", ())]
        return any(s["restartCount"] for s in found)

    until("a restart", has_restarted)
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    space.create({**late, "data": {"DATABASE": "there"}})


def unplaced(space: Space) -> dict[str, Any] | None:
    """Return a Pod that no node takes, with `since` when."""
    for one in space.pods():
        for condition in one["status"].get("conditions", ()):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return {**one, "since": condition["lastTransitionTime"]}
    return None


def a_node_comes(space: Space) -> None:
    """Announce a node as cluster-autoscaler does, and let it come late."""

    pod = until("a Pod without a node", lambda: unplaced(space))
    space.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "scale-up-"},
            "type": "Normal",
            "reason": "TriggeredScaleUp",
            "message": "pod triggered scale-up: [{pool 1->2 (max: 5)}]",
            "involvedObject": {
                "kind": "Pod",
                "namespace": space.name,
                "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
            },
            "lastTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": {"component": "cluster-autoscaler"},
        }
    )
    since = datetime.fromisoformat(pod["since"])
    until(
        "longer than an unplaced Pod is waited for",
        lambda: (datetime.now(UTC) - since).total_seconds() > LONGER_THAN_PATIENCE,
    )
    space.label_node({space.name: "here"})


def it_is_scaled(space: Space) -> None:
    space.merge({"spec": {"replicas": 3}})


HEALTHY = {
    "slow inside its start-up probe": Situation(
        change={
            "env": {"SLOW_START": "12s"},
            "container": {"startupProbe": probe("/ready", failures=30)},
        }
    ),
    "slow without a start-up probe": Situation(change={"env": {"SLOW_START": "20s"}}),
    "a database that comes late": Situation(
        change={"container": OPTIONAL}, meanwhile=the_database_comes
    ),
    "a registry back after two errors": Situation(registry=503, times=2),
    "an autoscaler on its way": Situation(
        change={"spec": {"nodeSelector": {"NAMESPACE": "here"}}}, meanwhile=a_node_comes
    ),
    "scaled in the middle": Situation(meanwhile=it_is_scaled),
    "an old Pod that is broken": Situation(
        first={"env": {"CRASH": "5", "CRASH_AFTER": "2s"}},
    ),
}
