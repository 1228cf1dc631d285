"""The order of a StatefulSet's Pods, and the one of them that its controller waits for in vain.

The controller walks the ordinals upwards and stops at the first Pod that is terminating or not
available; only behind that it replaces outdated ones. So a Pod of a bad template that never became
available is not replaced by going back (kubernetes#67250, open since 2018).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from backout.core.kinds import amounts
from backout.core.kinds.kind import StuckPod
from backout.core.kubernetes import objects
from backout.core.kubernetes.labels import REVISION_HASH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.kinds.kind import PodsSeen
    from backout.core.model import Object

_STRATEGY = ("spec", "updateStrategy")
_PARTITION_0 = (
    '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}}}}'
)


def is_on_delete(workload: Object) -> bool:
    """Tell whether Pods are replaced only when somebody deletes them."""
    return bool(objects.dig(workload, *_STRATEGY, "type", default="RollingUpdate") == "OnDelete")


def recreates(workload: Object) -> bool:
    """Tell whether all Pods go before the first new one comes (from 1.37, behind a gate there)."""
    return bool(objects.dig(workload, *_STRATEGY, "type") == "Recreate")


def is_ordered(workload: Object) -> bool:
    """Tell whether each Pod waits for the one before it: the default."""
    policy = objects.dig(workload, "spec", "podManagementPolicy", default="OrderedReady")
    return bool(policy == "OrderedReady")


def rolling(workload: Object) -> Mapping[str, Any] | None:
    """Return the rolling update's parameters; None where there are none at all."""
    found = objects.dig(workload, *_STRATEGY, "rollingUpdate")
    return found if isinstance(found, dict) else None


def start(workload: Object) -> int:
    """Return the lowest ordinal."""
    return int(objects.dig(workload, "spec", "ordinals", "start", default=0))


def partition(workload: Object) -> int:
    """Return how many of the lowest Pods a rollout leaves as they are."""
    return int(objects.dig(rolling(workload), "partition", default=0))


def unavailable(workload: Object) -> int:
    """Return how many Pods a rollout may take at once."""
    amount = objects.dig(rolling(workload), "maxUnavailable", default=1)
    return max(1, amounts.of_pods(amount, objects.replicas(workload), up=False))


def reached(workload: Object) -> range:
    """Return the ordinals that a rollout reaches: counted from the lowest, as the partition is."""
    lowest, replicas = start(workload), objects.replicas(workload)
    below = 0 if is_on_delete(workload) else min(partition(workload), replicas)
    return range(lowest + below, lowest + replicas)


def updated(workload: Object, own: Iterable[Object]) -> dict[int, Object]:
    """Return the Ready Pods of the new template at the ordinals that a rollout reaches."""
    wanted = reached(workload)
    return {
        place: pod
        for place, pod in by_ordinal(workload, own).items()
        if place in wanted and objects.is_ready(pod)
    }


def by_ordinal(workload: Object, pods: Iterable[Object]) -> dict[int, Object]:
    """Return the Pods that this very StatefulSet controls, by their ordinals."""
    head, uid = f"{objects.name(workload)}-", objects.uid(workload)
    found = {}
    for pod in pods:
        tail = objects.name(pod).removeprefix(head)
        if objects.is_controlled_by(pod, uid) and tail.isdecimal():
            found[int(tail)] = pod
    return found


def stuck(workload: Object, seen: PodsSeen) -> StuckPod | None:
    """Return the lowest Pod that is not available, where it is outdated and the order holds."""
    strategy = objects.dig(workload, *_STRATEGY, "type", default="RollingUpdate")
    if strategy != "RollingUpdate" or not is_ordered(workload) or seen.stored is None:
        return None
    place, pod = _lowest_unavailable(workload, seen)
    new = objects.name(seen.stored)
    is_outdated = objects.labels_of(pod).get(REVISION_HASH) != new if pod is not None else False
    if pod is None or not is_outdated or objects.is_ready(pod) or not objects.is_active(pod):
        return None
    why, remedy, is_safe = _freed(workload, pod, place, new)
    return StuckPod(
        pod=pod,
        why=f"the StatefulSet waits for Pod {objects.name(pod)}, which is of another template and "
        f"not Ready, and replaces neither it nor any other Pod (kubernetes#67250){why}",
        remedy=remedy,
        is_safe=is_safe,
        is_due=objects.is_observed(workload)
        and objects.dig(workload, "status", "updateRevision") == new,
    )


def _freed(workload: Object, pod: Object, place: int, new: str) -> tuple[str, str, bool]:
    """Return why the end of a stuck Pod frees nothing, what would, and whether its end frees it.

    A missing Pod is made of `currentRevision` below the partition, and, where there are no
    parameters of the rolling update, below the number of Pods that are of it
    (newVersionedStatefulSetPod, kubernetes pkg/controller/statefulset/stateful_set_utils.go).
    """
    where = f"-n {objects.dig(pod, 'metadata', 'namespace', default='')}"
    if place not in reached(workload):
        look = f"see why it is not Ready: kubectl describe pod {objects.name(pod)} {where}"
        return "; the Pod is below the partition, which a rollout does not reach", look, False
    delete = f"kubectl delete pod {objects.name(pod)} {where}"
    if rolling(workload) is not None or objects.dig(workload, "status", "currentRevision") == new:
        return "", f"delete the Pod: {delete}", True
    patch = (
        f"kubectl patch statefulset {objects.name(workload)} {where} --type=merge "
        f"-p {shlex.quote(_PARTITION_0)}"
    )
    why = (
        "; deleted, it would be made of the template before again, because "
        "updateStrategy.rollingUpdate is not set"
    )
    return why, f"{patch} && {delete}", False


def _lowest_unavailable(workload: Object, seen: PodsSeen) -> tuple[int, Object | None]:
    """Return the first Pod at which the controller stops; none where it is missing or going."""
    there = by_ordinal(workload, [*seen.others, *seen.own])
    seconds = int(objects.dig(workload, "spec", "minReadySeconds", default=0))
    lowest = start(workload)
    for place in range(lowest, lowest + objects.replicas(workload)):
        pod = there.get(place)
        if pod is None or not objects.is_available(pod, seconds, seen.now):
            return place, pod
    return lowest, None


def with_claims(workload: Object, template: Object) -> Object:
    """Return a template with the volumes of the lowest Pod's claims.

    Source: updateStorage, kubernetes pkg/controller/statefulset/stateful_set_utils.go.
    """
    claims = [objects.name(c) for c in objects.dig(workload, "spec", "volumeClaimTemplates") or ()]
    if not claims:
        return template
    pod = f"{objects.name(workload)}-{start(workload)}"
    spec = template["spec"]
    own = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{pod}"}} for name in claims
    ]
    kept = [v for v in spec.get("volumes") or () if v.get("name") not in claims]
    return {**template, "spec": {**spec, "volumes": [*own, *kept]}}
