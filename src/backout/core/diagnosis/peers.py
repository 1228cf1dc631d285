"""What the workload's other Pods prove: whether the surroundings work, or the template itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.diagnosis import probes
from backout.core.diagnosis.groups import Around
from backout.core.kubernetes import objects
from backout.core.kubernetes.labels import REVISION_HASH
from backout.core.kubernetes.managed_fields import status_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from backout.core.model import Object

HELD = timedelta(minutes=1)
"""A Pod that has restarted proves something again once its status has not moved for so long."""


def around(
    pods: Sequence[Object],
    others: Iterable[Object],
    restarts: Mapping[tuple[str, str], int],
    now: datetime,
    *,
    standby: bool,
) -> Around:
    """Return what Pods prove: `pods` are the revision's own, `others` those of other revisions.

    `restarts` are those of before, by Pod UID and container: they are held against nobody.
    """
    spec = pods[0].get("spec") if pods else None
    return Around(
        peer=any(_is_peer(p, spec or {}) for p in others),
        proven=any(_holds(p, restarts, now) for p in pods),
        standby=standby,
    )


def standing_by(pods: Iterable[Object], now: datetime) -> int:
    """Return how many Pods are Ready where the others run well and are not Ready; 0 elsewhere.

    That is how active and passive Pods look: within one revision, none of them restarted, all older
    than their probes' own numbers allow twice.
    """
    by_owner: dict[tuple[str, str], list[Object]] = {}
    for pod in pods:
        if objects.dig(pod, "status", "phase") not in {"Failed", "Succeeded"}:
            by_owner.setdefault(_owner(pod), []).append(pod)
    return sum(
        sum(map(_was_ready, listed))
        for listed in by_owner.values()
        if any(map(_was_ready, listed)) and any(_stands_by(p, now) for p in listed)
    )


def _owner(pod: Object) -> tuple[str, str]:
    """Return what tells the Pods of one revision: its owner, and the label where that has many."""
    owner = str(objects.dig(pod, "metadata", "ownerReferences", 0, "uid", default=""))
    return owner, objects.labels_of(pod).get(REVISION_HASH, "")


def _was_ready(pod: Object) -> bool:
    return (objects.condition(pod, "Ready") or {}).get("status") == "True"


def _stands_by(pod: Object, now: datetime) -> bool:
    made = objects.timestamp(objects.dig(pod, "metadata", "creationTimestamp"))
    statuses = [s for s, _ in objects.container_statuses(pod)]
    runs = all(
        objects.dig(s, "state", "running") is not None and not s.get("restartCount")
        for s in objects.dig(pod, "status", "containerStatuses", default=[])
    )
    allowed = max(map(probes.allowed, objects.containers(pod)), default=timedelta(0))
    is_old = made is not None and now - made >= 2 * allowed
    return bool(statuses) and runs and is_old and not _was_ready(pod)


def _is_peer(pod: Object, spec: Object) -> bool:
    """Tell whether it shows that the surroundings work; not if it may hold what is missing."""
    restarted = any(s.get("restartCount") for s, _ in objects.container_statuses(pod))
    return objects.is_ready(pod) and not restarted and not (_held(pod.get("spec")) & _held(spec))


def _holds(pod: Object, restarts: Mapping[tuple[str, str], int], now: datetime) -> bool:
    """Tell whether a Ready Pod proves its template: it has not ended since, or has held."""
    if not objects.is_ready(pod):
        return False
    written = status_written(pod)
    if written is not None and now - written >= HELD:
        return True
    return all(
        int(s.get("restartCount") or 0) <= restarts.get((objects.uid(pod), str(s.get("name"))), 0)
        for s, _ in objects.container_statuses(pod)
    )


def _held(spec: Object | None) -> set[tuple[str, str]]:
    """Return what only one Pod may hold at a time: claims, paths and ports of the node."""
    found = set()
    for volume in objects.dig(spec, "volumes", default=[]):
        claim = objects.dig(volume, "persistentVolumeClaim", "claimName")
        path = objects.dig(volume, "hostPath", "path")
        found |= {("claim", str(claim))} if claim else set()
        found |= {("path", str(path))} if path else set()
    for container in objects.dig(spec, "containers", default=[]):
        for port in objects.dig(container, "ports", default=[]):
            number = port.get("hostPort")
            if objects.dig(spec, "hostNetwork") is True:
                number = port.get("containerPort")
            found |= {("port", str(number))} if number else set()
    return found
