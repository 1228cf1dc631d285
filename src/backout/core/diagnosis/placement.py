"""Why a Pod has no node: no room, a scheduling gate, or a claim that is not bound.

Texts are the scheduler's and the volume controller's, measured (docs/failures/).
"""

from __future__ import annotations

import re
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import of_pod
from backout.core.kubernetes import objects
from backout.core.room import nodes
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

PATIENCE = timedelta(seconds=15)
"""How long a Pod may find no node before that is final, where no node is on its way."""

_OF_THE_CLUSTER = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
GATED = "SchedulingGated"
_ON_ITS_WAY = {"TriggeredScaleUp", "Nominated"}
"""What cluster-autoscaler and Karpenter say of a Pod for which they add a node."""
_MISSING_CLAIM = re.compile(
    r'persistentvolumeclaim "[^"]*" (?:not found|is being deleted|bound to non-existent)'
)
_NEVER_BOUND = re.compile(
    r'no storage class is set|storageclass\.storage\.k8s\.io "[^"]*" not found', re.IGNORECASE
)
_PASSES = re.compile(
    r"were unschedulable|node\.kubernetes\.io/(?:not-ready|unreachable|unschedulable)|uninitialized"
)
_UNNAMED = re.compile(r"(\d+) node\(s\) had untolerated taint\(s\)")
"""Since 1.34 the scheduler does not name the taint: a drain reads as a node kept for others."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What is known beside a Pod: `claims` is the newest word on each that is not bound.

    `nodes_may_return` as `may_return` tells; true, too, where the nodes could not be read.
    """

    claims: Mapping[str, str] = field(default_factory=dict)
    nodes_may_return: bool = True


def unplaced(
    pod: Object, condition: Object, events: Sequence[Object], cluster: Cluster, now: datetime
) -> Cause:
    """Return why no node takes a Pod.

    `condition` is its PodScheduled, `events` are its own. Final when it has lasted and no node is
    on its way: a cordoned or a NotReady node may come back, so that a drain in the middle is no
    failure.
    """
    text = str(condition.get("message", ""))
    evidence = f"PodScheduled: {text}"
    if condition.get("reason") == GATED:
        gates = objects.dig(pod, "spec", "schedulingGates", default=[])
        names = ", ".join(str(g.get("name")) for g in gates)
        return of_pod("SCHEDULING_GATED", pod, f"it waits for its gates: {names}", evidence)
    if "persistentvolumeclaim" in text.lower():
        return _of_claim(pod, text, cluster.claims)
    since = objects.timestamp(condition.get("lastTransitionTime"))
    lasted = since is not None and now - since >= PATIENCE
    grows = any(e.get("reason") in _ON_ITS_WAY for e in events)
    returns = _PASSES.search(text) or (_UNNAMED.search(text) and cluster.nodes_may_return)
    final = lasted and not grows and not returns
    return of_pod("UNSCHEDULABLE", pod, f"no node takes it: {text}", evidence, is_final=final)


def _of_claim(pod: Object, text: str, claims: Mapping[str, str]) -> Cause:
    """Return why a claim keeps a Pod from a node; final where nothing will ever bind it."""
    final = bool(_MISSING_CLAIM.search(text))
    words = f"no node takes it: {text}"
    for volume in objects.dig(pod, "spec", "volumes", default=[]):
        name = str(objects.dig(volume, "persistentVolumeClaim", "claimName", default=""))
        if "ephemeral" in volume:  # kubernetes component-helpers/storage/ephemeral, VolumeClaimName
            name = f"{objects.name(pod)}-{volume.get('name')}"
        if name in claims:
            words += f"; claim {name}: {claims[name]}"
            final = final or bool(_NEVER_BOUND.search(claims[name]))
    return of_pod("VOLUME", pod, words, f"PodScheduled: {text}", is_final=final)


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


def _is_away(node: Object) -> bool:
    return (
        objects.dig(node, "spec", "unschedulable") is True
        or objects.dig(objects.condition(node, "Ready"), "status") != "True"
        or any(str(t.get("key", "")).startswith(_OF_THE_CLUSTER) for t in nodes.keeps_off(node))
    )


def of_claims(events: Iterable[Object]) -> Mapping[str, str]:
    """Return the newest word on each PersistentVolumeClaim, by name; `events` oldest first."""
    return {
        str(objects.dig(e, "involvedObject", "name")): str(e.get("message", ""))
        for e in events
        if objects.dig(e, "involvedObject", "kind") == "PersistentVolumeClaim"
    }
