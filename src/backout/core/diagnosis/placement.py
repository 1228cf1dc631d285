"""Why a Pod has no node: no room, a scheduling gate, or a claim that is not bound.

Texts are the scheduler's and the volume controller's, measured (docs/failures/).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.diagnosis.causes import of_pod
from backout.core.diagnosis.groups import Look, Rule
from backout.core.kubernetes import objects
from backout.core.room import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

_OF_THE_CLUSTER = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
GATED = "SchedulingGated"
_ON_ITS_WAY = {"TriggeredScaleUp", "Nominated"}
"""What cluster-autoscaler and Karpenter say of a Pod for which they add a node."""
_SCALES = {"NotTriggerScaleUp", *_ON_ITS_WAY}
"""Who says so is an autoscaler at work: it may take minutes."""
_MISSING_CLAIM = re.compile(
    r'persistentvolumeclaim "(?P<name>[^"]*)" (?:not found|is being deleted|bound to non-existent)'
)
_PROVISIONED = re.compile(
    r"waiting for first consumer|waiting for a volume to be created|Provisioning|"
    r"waiting for pod \S+ to be scheduled",
    re.IGNORECASE,
)
_NEVER_BOUND = re.compile(
    r'no storage class is set|storageclass\.storage\.k8s\.io "[^"]*" not found', re.IGNORECASE
)
_PASSES = re.compile(
    r"were unschedulable|node\.kubernetes\.io/(?:not-ready|unreachable|unschedulable)|uninitialized"
)
_UNNAMED = re.compile(r"(\d+) node\(s\) had untolerated taint\(s\)")
"""Since 1.34 the scheduler does not name the taint: a drain reads as a node kept for others."""


class Cluster(Struct, frozen=True, kw_only=True):
    """What is known beside a Pod: `claims` is the newest word on each that is not bound.

    `nodes_may_return` as `may_return` tells; true, too, where the nodes could not be read.
    `terminating` names a Pod of the workload that still terminates; empty where none does.
    """

    claims: Mapping[str, str] = field(default_factory=dict)
    nodes_may_return: bool = True
    terminating: str = ""


def unplaced(
    pod: Object,
    condition: Object,
    events: Sequence[Object],
    cluster: Cluster,
    lasted: timedelta,
) -> Cause:
    """Return why no node takes a Pod.

    `condition` is its PodScheduled, `events` are its own, `lasted` how long it is known to have
    been so by one clock.
    """
    text = str(condition.get("message", ""))
    evidence = f"PodScheduled: {text}"
    if condition.get("reason") == GATED:
        gates = objects.dig(pod, "spec", "schedulingGates", default=[])
        names = ", ".join(str(g.get("name")) for g in gates)
        return of_pod("SCHEDULING_GATED", pod, f"it waits for its gates: {names}", evidence)
    if "persistentvolumeclaim" in text.lower():
        return _of_claim(pod, text, cluster, lasted)
    return of_pod(
        "UNSCHEDULABLE",
        pod,
        f"no node takes it: {text}",
        evidence,
        told_for=lasted,
        awaits=_on_its_way(pod, text, events, cluster),
        is_new=is_scaled_for(events),
        unless="a node takes it",
    )


def _on_its_way(pod: Object, text: str, events: Sequence[Object], cluster: Cluster) -> str:
    """Return what may still give it a node; empty where nothing is known to."""
    nominated = objects.dig(pod, "status", "nominatedNodeName")
    if nominated:
        return f"room on node {nominated} (nominated)"
    if cluster.terminating:
        return f"{cluster.terminating} of this workload still terminates"
    announced = next((e for e in reversed(events) if e.get("reason") in _ON_ITS_WAY), None)
    if announced is not None:
        return f"a node ({announced.get('reason')})"
    if _PASSES.search(text) or (_UNNAMED.search(text) and cluster.nodes_may_return):
        return "a node that may come back"
    return ""


def is_scaled_for(events: Sequence[Object]) -> bool:
    """Tell whether an autoscaler is at work for a Pod: its node may be new, and not set up yet.

    A node without its runtime is often one on which an operator installs it (gpu-operator#759).
    """
    return any(e.get("reason") in _SCALES or _is_autoscalers(e) for e in events)


def _is_autoscalers(event: Object) -> bool:
    by = (objects.dig(event, "source", "component"), event.get("reportingComponent"))
    return any("autoscaler" in str(one) or "karpenter" in str(one) for one in by)


def _of_claim(pod: Object, text: str, cluster: Cluster, lasted: timedelta) -> Cause:
    """Return why a claim keeps a Pod from a node."""
    gone = _MISSING_CLAIM.search(text)
    words, is_bad, awaits = f"no node takes it: {text}", gone is not None, cluster.terminating
    for volume in objects.dig(pod, "spec", "volumes", default=[]):
        name = str(objects.dig(volume, "persistentVolumeClaim", "claimName", default=""))
        if "ephemeral" in volume:  # kubernetes component-helpers/storage/ephemeral, VolumeClaimName
            name = f"{objects.name(pod)}-{volume.get('name')}"
        if name in cluster.claims:
            said = cluster.claims[name]
            words += f"; claim {name}: {said}"
            is_bad = is_bad or bool(_NEVER_BOUND.search(said))
            awaits = awaits or (f"claim {name}" if _PROVISIONED.search(said) else "")
    return of_pod(
        "VOLUME",
        pod,
        words,
        f"PodScheduled: {text}",
        rule=Rule.PATIENCE if is_bad else Rule.DEADLINE,
        told_for=lasted,
        awaits=awaits,
        look=Look(kind="PersistentVolumeClaim", name=gone["name"]) if gone is not None else None,
        unless="it appears" if gone is not None else "it is bound",
    )


def asks_for_nodes(causes: Iterable[Cause]) -> bool:
    """Tell whether only the nodes themselves can say if a cause is final."""
    return any(c.code == "UNSCHEDULABLE" and _UNNAMED.search(c.evidence) for c in causes)


def may_return(listed: Iterable[Object], causes: Iterable[Cause]) -> bool:
    """Tell whether a node takes no Pod now and may do so again: cordoned, not ready, or new.

    Or has come back already: fewer nodes have a taint now than the scheduler counted. The taint of
    a cordon goes after the cordon itself, and in between the scheduler speaks of a taint (measured:
    a node read 15 s into a drain that had just ended bore neither, the Pod's condition did).
    """
    found = list(listed)
    told = (_UNNAMED.search(c.evidence) for c in causes if c.code == "UNSCHEDULABLE")
    counted = max((int(match[1]) for match in told if match), default=0)
    kept_off = sum(1 for node in found if nodes.keeps_off(node))
    return kept_off < counted or any(_is_away(node) for node in found)


def answers(node: Object) -> bool:
    """Tell whether a node's kubelet is heard of and well."""
    return bool(objects.dig(objects.condition(node, "Ready"), "status") == "True")


def _is_away(node: Object) -> bool:
    return (
        objects.dig(node, "spec", "unschedulable") is True
        or not answers(node)
        or any(str(t.get("key", "")).startswith(_OF_THE_CLUSTER) for t in nodes.keeps_off(node))
    )


def of_claims(events: Iterable[Object]) -> Mapping[str, str]:
    """Return the newest word on each PersistentVolumeClaim, by name; `events` oldest first."""
    return {
        str(objects.dig(e, "involvedObject", "name")): str(e.get("message", ""))
        for e in events
        if objects.dig(e, "involvedObject", "kind") == "PersistentVolumeClaim"
    }
