"""What the Pods that run hold of what one more needs: ports, room, distance, claims."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.room import holding
from backout.core.room.holding import Room
from tests.objects.pods import pod
from tests.objects.templates import template

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node(name: str, cpu: str = "1", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"host": name, **labels}},
        "status": {"allocatable": {"cpu": cpu, "memory": "4Gi"}},
    }


def asking(cpu: str = "", *, port: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    made = template(resources=resources, ports=[port] if port else [])
    made["spec"].update(spec)
    return made


def on(where: str, made: dict[str, Any], name: str = "web-3-a") -> dict[str, Any]:
    spec = {**made["spec"], "nodeName": where}
    return pod(name, spec=spec, metadata={"labels": {"app": "web"}})


def apart(key: str = "host", app: str = "web", **more: Any) -> dict[str, Any]:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {"affinity": {"podAntiAffinity": {REQUIRED: [term]}}}


PORT = {"containerPort": 8080, "hostPort": 18080}
ONE, TWO = node("n1"), node("n2")


@pytest.mark.parametrize(
    ("old", "new", "held"),
    [
        (asking("600m"), asking("600m"), "leave 400m cpu, and a new one asks for 600m"),
        (asking("400m"), asking("600m"), ""),
        (asking(), asking("1"), ""),
        (asking(port=PORT), asking(port=PORT), "a Pod that runs holds host port 18080"),
        (asking(port=PORT), asking(port={**PORT, "hostPort": 18081}), ""),
        (asking(port=PORT), asking(port={**PORT, "protocol": "UDP"}), ""),
        (
            asking(port={**PORT, "hostIP": "10.0.0.1"}),
            asking(port={**PORT, "hostIP": "10.0.0.2"}),
            "",
        ),
        (
            asking(port={**PORT, "hostIP": "10.0.0.1"}),
            asking(port=PORT),
            "holds host port 18080",
        ),
        (asking(), asking(**apart()), "keeps others away (anti-affinity by host)"),
        (asking(**apart()), asking(), "keeps others away (anti-affinity by host)"),
        (asking(), asking(**apart(app="cache")), ""),
        (asking(), asking(**apart(key="absent")), ""),
        (asking(), asking(**apart(matchLabelKeys=["pod-template-hash"])), ""),
        (asking(), asking(**apart(namespaces=["other"])), ""),
    ],
)
def test_what_a_pod_on_the_only_node_holds(
    old: dict[str, Any], new: dict[str, Any], held: str
) -> None:
    said = holding.held(new, Room(nodes=(ONE,), own=(on("n1", old),)))

    assert held in said
    assert bool(said) == bool(held)


def test_a_node_that_has_it_free_is_enough_and_of_several_each_reason_is_counted() -> None:
    new = asking("600m")
    first, second = on("n1", new), on("n2", asking(port=PORT), "web-3-b")

    assert holding.held(new, Room(nodes=(ONE, TWO), own=(first, second))) == ""
    both = asking("600m", port=PORT)
    assert holding.held(both, Room(nodes=(ONE, TWO), own=(first, second))) == (
        "on 1 of 2 nodes the Pods that run leave 400m cpu, and a new one asks for 600m; on 1 of 2 "
        "nodes a Pod that runs holds host port 18080"
    )
    assert holding.held(both, Room(nodes=(), own=(first, second))) == ""


def test_a_zone_is_kept_apart_as_a_whole() -> None:
    zone = (node("n1", zone="a"), node("n2", zone="a"), node("n3", zone="b"))
    new = asking(**apart(key="zone"))

    assert holding.held(new, Room(nodes=zone[:2], own=(on("n1", asking()),)))
    assert holding.held(new, Room(nodes=zone, own=(on("n1", asking()),))) == ""


def test_pods_of_others_take_room_and_what_ends_does_not() -> None:
    other = on("n1", asking("600m"), "api-1")
    going = {
        **other,
        "metadata": {**other["metadata"], "deletionTimestamp": "2026-03-01T12:00:00Z"},
    }

    assert holding.held(asking("600m"), Room(nodes=(ONE,), own=(), others=(other,)))
    assert holding.held(asking("600m"), Room(nodes=(ONE,), own=(), others=(going,))) == ""


CLAIM: dict[str, Any] = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize(
    ("mode", "nodes", "words"),
    [
        ("ReadWriteOncePod", (ONE,), "claim data is ReadWriteOncePod, and Pod web-3-a has it"),
        ("ReadWriteOnce", (ONE, TWO), "on node n1: a new Pod that is put on another node waits"),
        ("ReadWriteOnce", (), "on node n1: a new Pod that is put on another node waits"),
        ("ReadWriteOnce", (ONE,), ""),
        ("ReadWriteMany", (ONE, TWO), ""),
    ],
)
def test_a_claim_that_one_pod_or_node_has(mode: str, nodes: tuple[Any, ...], words: str) -> None:
    made = asking(**CLAIM)
    modes = {"data": frozenset({mode})}
    said = holding.claimed(made, Room(nodes=nodes, own=(on("n1", made),)), modes)

    assert words in said
    assert bool(said) == bool(words)
    assert holding.claimed(made, Room(nodes=nodes, own=()), modes) == ""
