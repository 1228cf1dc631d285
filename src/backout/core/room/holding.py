"""Whether the Pods that run hold what one more needs, so that it cannot start beside them.

Of the Pods on a node those that were read are counted: there may be more, never fewer. Source:
kubernetes pkg/scheduler/framework/plugins (nodeports, interpodaffinity, noderesources,
volumerestrictions).
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects, quantity
from backout.core.room import demand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.model import Object

ONCE, ONCE_BY_A_POD = "ReadWriteOnce", "ReadWriteOncePod"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (what stands for all addresses of a node)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Room(Struct, frozen=True, kw_only=True):
    """What there is: `nodes` that may take the Pod, Pods of the workload, and Pods of others."""

    nodes: Sequence[Object]
    own: Sequence[Object]
    others: Sequence[Object] = ()


def held(template: Object, room: Room) -> str:
    """Return what the Pods that run hold on every node, in words; empty where a node has it free.

    Nothing is said where no node is known.
    """
    reasons = [_held_on(node, template, room) for node in room.nodes]
    if not reasons or not all(reasons):
        return ""
    if len(reasons) == 1:
        return f"on node {objects.name(room.nodes[0])} {reasons[0]}"
    told = [f"on {n} of {len(reasons)} nodes {why}" for why, n in Counter(reasons).most_common(3)]
    return "; ".join(told)


def claimed(template: Object, room: Room, modes: Mapping[str, frozenset[str]]) -> str:
    """Return which claim a Pod that runs has and one more waits for, in words; else empty.

    `modes` are the access modes of the claims that the template names.
    """
    for name in _claims(template):
        users = [p for p in room.own if objects.is_active(p) and name in _claims(p)]
        if not users:
            continue
        if ONCE_BY_A_POD in modes.get(name, ()):
            return f"claim {name} is {ONCE_BY_A_POD}, and Pod {objects.name(users[0])} has it"
        theirs = {str(objects.dig(p, "spec", "nodeName")) for p in users}
        elsewhere = {objects.name(node) for node in room.nodes} - theirs
        if set(modes.get(name, ())) == {ONCE} and (elsewhere or not room.nodes):
            where = ", ".join(sorted(theirs))
            return (
                f"claim {name} is {ONCE}, and Pod {objects.name(users[0])} has it on node {where}: "
                "a new Pod that is put on another node waits for it"
            )
    return ""


def _held_on(node: Object, template: Object, room: Room) -> str:
    there = [p for p in (*room.own, *room.others) if _is_on(p, node)]
    return (
        _port(template, there) or _kept_apart(node, template, room) or _full(node, template, there)
    )


def _is_on(pod: Object, node: Object) -> bool:
    where = objects.dig(pod, "spec", "nodeName")
    return objects.is_active(pod) and bool(where) and where == objects.name(node)


def _port(template: Object, pods: Iterable[Object]) -> str:
    wanted = set(_host_ports(template))
    for pod in pods:
        for address, port, protocol in _host_ports(pod):
            for mine, number, spoken in wanted:
                is_shared = mine == address or _EVERYWHERE in {mine, address}
                if (number, spoken) == (port, protocol) and is_shared:
                    return f"a Pod that runs holds host port {port}"
    return ""


def _host_ports(template_or_pod: Object) -> Iterator[tuple[str, int, str]]:
    for container in objects.serving_containers(template_or_pod):
        for one in objects.dig(container, "ports", default=[]):
            if one.get("hostPort"):
                address = str(one.get("hostIP") or _EVERYWHERE)
                yield address, int(one["hostPort"]), str(one.get("protocol", "TCP"))


def _kept_apart(node: Object, template: Object, room: Room) -> str:
    """Return that a required anti-affinity, the new Pod's or one's that runs, keeps it away."""
    domains = {objects.name(n): objects.labels_of(n) for n in room.nodes}
    mine = objects.labels_of(template)
    for pod in room.own:
        at = domains.get(str(objects.dig(pod, "spec", "nodeName")))
        if at is None or not objects.is_active(pod):
            continue
        pairs = [(t, objects.labels_of(pod)) for t in _apart(template)]
        for term, labels in [*pairs, *((t, mine) for t in _apart(pod))]:
            key = str(term.get("topologyKey"))
            domain = objects.labels_of(node).get(key)
            selector = objects.dig(term, "labelSelector")
            if domain is not None and domain == at.get(key) and objects.selects(selector, labels):
                return f"a Pod that runs keeps others away (anti-affinity by {key})"
    return ""


def _apart(template_or_pod: Object) -> list[Object]:
    """Return the required anti-affinity terms that are about Pods of the same namespace.

    One that compares the Pod template's hash keeps Pods of one revision apart only.
    """
    terms = objects.dig(
        template_or_pod, "spec", "affinity", "podAntiAffinity", _REQUIRED, default=[]
    )
    other = ("namespaces", "namespaceSelector", "matchLabelKeys", "mismatchLabelKeys")
    return [term for term in terms if not any(term.get(key) for key in other)]


def _full(node: Object, template: Object, pods: Sequence[Object]) -> str:
    allocatable = objects.dig(node, "status", "allocatable", default={})
    taken = [demand.requests(pod) for pod in pods]
    for resource, amount in sorted(demand.requests(template).items()):
        has = quantity.value(allocatable.get(resource, ""))
        if has is None or amount <= 0:
            continue
        left = has - sum((one.get(resource, Fraction(0)) for one in taken), Fraction(0))
        if amount > left:
            free = quantity.text(max(left, Fraction(0)), resource)
            asked = quantity.text(amount, resource)
            return f"the Pods that run leave {free} {resource}, and a new one asks for {asked}"
    return ""


def _claims(template_or_pod: Object) -> list[str]:
    volumes = objects.dig(template_or_pod, "spec", "volumes", default=[])
    named = (objects.dig(v, "persistentVolumeClaim", "claimName") for v in volumes)
    return [str(name) for name in named if name]
