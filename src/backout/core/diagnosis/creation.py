"""Why Pods cannot be created: the API server refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import REMEDIES, Cause
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.kinds.kind import Kind
    from backout.core.model import Object


def of_creation(
    workload: Object,
    kind: Kind,
    stored: Object | None,
    own: Sequence[Object],
    events: Sequence[Object],
    others: Sequence[Object],
) -> Iterator[Cause]:
    """Yield why Pods cannot be created: ReplicaFailure, worded by the own events of `stored`.

    `stored` is the revision in the history, `own` are its Pods, `others` the workload's of other
    revisions, which may be what fills a quota.
    """
    failure = objects.condition(stored, "ReplicaFailure") if stored else None
    if stored is None or failure is None or failure.get("status") != "True":
        return
    refused = [str(e.get("message", "")) for e in events if e.get("reason") == "FailedCreate"]
    text = str(failure.get("message") or (refused[-1] if refused else ""))
    code = "QUOTA" if "exceeded quota" in text or "failed quota" in text else "ADMISSION"
    yield Cause(
        code=code,
        uid=objects.uid(workload),
        subject=f"{kind.stored.name} {objects.name(stored)}",
        message=f"the API server refuses its Pods: {text}",
        evidence=f"ReplicaFailure: {text}",
        remedy=REMEDIES[code],
        is_final="is forbidden" in text
        and ("exceeded quota" not in text or _is_stuck(workload, kind, own, others)),
    )


def _is_stuck(
    workload: Object, kind: Kind, own: Sequence[Object], others: Sequence[Object]
) -> bool:
    """Tell whether the rollout itself will free nothing of a quota, and has freed nothing yet.

    The controller deletes old Pods that are not ready, and ready ones down to what must stay
    available (pkg/controller/deployment, reconcileOldReplicaSets). What it has deleted is free, and
    the ReplicaSet's next attempt is seconds or minutes away: its failure is of the one before.
    Where it could make a Pod already, the quota is one that moves.
    """
    if own or any(not objects.is_ready(p) for p in others):
        return False
    pace = kind.pace(workload)
    gives_none = pace.unavailable == 0 and kind.counters(workload).available <= pace.replicas
    return not others or gives_none
