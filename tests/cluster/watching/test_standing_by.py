"""Active and passive: fewer Pods are Ready by design, and as many as before is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.core.kubernetes import objects
from tests.cluster.command import accepting
from tests.cluster.manifests import SHOP
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.space import Space

PASSIVE = {
    "env": [
        {"name": "TERM_DELAY", "value": "6s"},
        {
            "name": "READY",
            "valueFrom": {"configMapKeyRef": {"name": "led", "key": "READY", "optional": True}},
        },
    ]
}
"""The first Pod leads; whoever starts while somebody leads is not Ready."""
VERSION: dict[str, Any] = {"container": PASSIVE, "spec": {"terminationGracePeriodSeconds": 10}}
LED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "led"}}
OLD_ENOUGH = 9
"""Seconds: twice what the probe's own numbers allow, after which a Pod is known to stand by."""


def pair(space: Space) -> None:
    """Bring up one Pod that leads and one that stands by, for long enough to be known."""
    space.deploy(
        space.version("v1", **VERSION),
        strategy={"type": "Recreate"},
        progressDeadlineSeconds=25,
    )
    space.create({**LED, "data": {"READY": "never"}})
    space.merge({"spec": {"replicas": 2}})
    until("one leads, one stands by", lambda: is_pair(space, "v1"))


def is_pair(space: Space, tag: str) -> bool:
    pods = space.pods(image=space.image(tag))
    started = [objects.timestamp(objects.dig(p, "status", "startTime")) for p in pods]
    now = objects.timestamp(space.api.now())
    return (
        [objects.is_ready(p) for p in pods].count(True) == 1
        and len(pods) == 2
        and all(s and now and (now - s).total_seconds() >= OLD_ENOUGH for s in started)
    )


def one_takes_the_lead(space: Space, tag: str) -> None:
    """Replace one of the new Pods, of which none is Ready, by one that leads."""
    path = f"/api/v1/namespaces/{space.name}"
    two = until("two new Pods run", lambda: running(space, tag))
    space.api.call("DELETE", f"{path}/configmaps/led")
    space.api.call("DELETE", f"{path}/pods/{two[0]['metadata']['name']}")
    until("it leads", lambda: any(map(objects.is_ready, space.pods(image=space.image(tag)))))
    space.create({**LED, "data": {"READY": "never"}})


def running(space: Space, tag: str) -> list[dict[str, Any]]:
    pods = space.pods(image=space.image(tag))
    up = [p for p in pods if p["status"].get("phase") == "Running"]
    return up if len(up) == 2 else []


def test_a_rollback_after_which_as_many_are_ready_as_before_is_not_called_failed(
    space: Space,
) -> None:
    pair(space)
    space.roll(space.version("v2", **VERSION))
    one_takes_the_lead(space, "v2")
    until("they are known as a pair", lambda: is_pair(space, "v2"))

    started = space.start_undo("--to-revision", "1", *accepting("PF906"))
    one_takes_the_lead(space, "v1")
    ran = started.ended().expect(5)

    assert "1 of 2 Pods are Ready, as before" in ran.both, str(ran)
    assert space.records()[-1]["state"] != "FAILED"


@pytest.mark.every_case
def test_nor_is_a_rollout_that_is_only_watched(space: Space) -> None:
    pair(space)
    space.roll(space.version("v2", **VERSION))
    started = space.started("status", f"deploy/{SHOP}", "-o", "json", "--timeout", "100s")
    started.until('"event": "progress"')
    one_takes_the_lead(space, "v2")
    ran = started.ended().expect(5)

    assert "1 of 2 Pods are Ready, as before" in ran.events[-1]["message"]
    assert not any(e["final"] for e in ran.events if e["event"] == "cause")


@pytest.mark.every_case
def test_where_none_leads_it_has_failed(space: Space) -> None:
    pair(space)
    space.roll(space.version("v2", **VERSION))
    ran = space.backout("status", f"deploy/{SHOP}", "-o", "json", "--timeout", "100s").expect(4)

    assert "PROBE_READINESS" in [e["code"] for e in ran.events if e["event"] == "cause"]
