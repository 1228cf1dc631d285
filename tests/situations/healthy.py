"""The twins: rollouts that look like a failure for a while and are none."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.core.kubernetes import objects
from tests.cluster.space import until
from tests.situations.failing import probe
from tests.situations.situation import OFTEN, Situation

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


def it_is_killed_once(space: Space) -> None:
    """Kill the new version's process once it is Ready: it comes up again, and stays."""

    def ready() -> dict[str, Any] | None:
        found = space.pods(image=space.image("v2"))
        return next((p for p in found if objects.is_ready(p)), None)

    pod = until("the new Pod is Ready", ready)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            group = (process / "cgroup").read_text()
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if pod["metadata"]["uid"] in group and b"pause" not in words:
            os.kill(int(process.name), signal.SIGKILL)


def it_is_scaled(space: Space) -> None:
    space.merge({"spec": {"replicas": 3}})


HEALTHY = {
    "slow inside its start-up probe": Situation(
        change={
            "env": {"SLOW_START": "12s"},
            "container": {"startupProbe": probe("/ready", failures=30)},
        },
        plays=OFTEN,
    ),
    "slow without a start-up probe": Situation(change={"env": {"SLOW_START": "20s"}}, plays=OFTEN),
    "a database that comes late": Situation(
        change={"container": OPTIONAL}, meanwhile=the_database_comes, plays=OFTEN
    ),
    "one restart": Situation(meanwhile=it_is_killed_once, soak="10s", plays=OFTEN),
    "a registry back after two errors": Situation(registry=503, times=2),
    "an autoscaler on its way": Situation(
        change={"spec": {"nodeSelector": {"NAMESPACE": "here"}}}, meanwhile=a_node_comes
    ),
    "scaled in the middle": Situation(meanwhile=it_is_scaled),
    "an old Pod that is broken": Situation(
        first={"env": {"CRASH": "5", "CRASH_AFTER": "2s"}},
    ),
}
