"""Why Pods cannot be created: the API server refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import REMEDIES, Cause
from backout.core.kubernetes import objects
from backout.core.room.startability import max_unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.model import Object


def of_creation(
    workload: Object,
    replica_set: Object | None,
    own: Sequence[Object],
    events: Sequence[Object],
    others: Sequence[Object],
) -> Iterator[Cause]:
    """Yield why Pods cannot be created: ReplicaFailure, worded by the ReplicaSet's own events.

    `own` are the ReplicaSet's Pods, `others` the workload's of other revisions, which may be what
    fills a quota.
    """
    failure = objects.condition(replica_set, "ReplicaFailure") if replica_set else None
    if replica_set is None or failure is None or failure.get("status") != "True":
        return
    refused = [str(e.get("message", "")) for e in events if e.get("reason") == "FailedCreate"]
    text = str(failure.get("message") or (refused[-1] if refused else ""))
    code = "QUOTA" if "exceeded quota" in text or "failed quota" in text else "ADMISSION"
    yield Cause(
        code=code,
        uid=objects.uid(workload),
        subject=f"ReplicaSet {objects.name(replica_set)}",
        message=f"the API server refuses its Pods: {text}",
        evidence=f"ReplicaFailure: {text}",
        remedy=REMEDIES[code],
        is_final="is forbidden" in text
        and ("exceeded quota" not in text or _is_stuck(workload, own, others)),
    )


def _is_stuck(workload: Object, own: Sequence[Object], others: Sequence[Object]) -> bool:
    """Tell whether the rollout itself will free nothing of a quota, and has freed nothing yet.

    The controller deletes old Pods that are not ready, and ready ones down to what must stay
    available (pkg/controller/deployment, reconcileOldReplicaSets). What it has deleted is free, and
    the ReplicaSet's next attempt is seconds or minutes away: its failure is of the one before.
    Where it could make a Pod already, the quota is one that moves.
    """
    if own or any(not objects.is_ready(p) for p in others):
        return False
    available = int(objects.dig(workload, "status", "availableReplicas", default=0))
    gives_none = max_unavailable(workload) == 0 and available <= objects.replicas(workload)
    return not others or gives_none
