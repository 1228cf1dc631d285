"""PF6xx: which Pods the rollback will not replace: by hand only, below a partition, or stuck."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from backout.core.checks import lines
from backout.core.checks.check import SHOWN, Check, Fact, few
from backout.core.kinds.kind import PodsSeen
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need
from backout.core.rights import permissions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.kinds.kind import StuckPod
    from backout.core.model import Object
    from backout.core.preflight.snapshot import Preflight

REPLACES = "--replace-stuck-pods"


def nothing_moves(preflight: Preflight) -> Iterator[Fact]:
    """Pods are replaced only when somebody deletes them: the patch alone changes nothing."""
    snapshot = preflight.snapshot
    still = snapshot.kind.unmoving(snapshot.workload)
    if still is None or still.lift is not None:
        return
    is_blind = Need.PODS in snapshot.unreadable
    old = sorted(objects.name(p) for p in _old(preflight) if objects.is_active(p))
    if not old and not is_blind:
        return
    number = preflight.destination.number
    which = f"not of revision {number}: {few(old)}" if old else "its Pods cannot be read"
    yield Fact(
        message=f"{still.why}: the controller replaces no Pod by itself, so the rollback changes "
        "nothing that runs",
        detail=which,
        remedy="roll back anyway, then delete these Pods, each when the one before is Ready: "
        + _deletion(preflight, old),
        risk=f"the template is set, and nothing runs it until {still.until}",
    )


def _deletion(preflight: Preflight, names: Sequence[str]) -> str:
    listed = " ".join(map(shlex.quote, names[:SHOWN])) or "POD"
    return f"kubectl delete pod {listed} -n {preflight.snapshot.target.namespace}"


def pods_are_not_reached(preflight: Preflight) -> Iterator[Fact]:
    """A rollback leaves the Pods below a partition as they are."""
    left = preflight.snapshot.kind.unreached(preflight.snapshot.workload)
    if left:
        yield Fact(
            message=f"the rollback does not reach every Pod: {left} stay as they are",
            remedy="lower the partition afterwards to go back with all of them: backout does not "
            "change it",
        )


def pod_will_be_stuck(preflight: Preflight) -> Iterator[Fact]:
    """The trap: a Pod that never became Ready is not replaced by going back."""
    found = _stuck(preflight)
    if found is not None and not _is_replaced(preflight, found):
        line = lines.again(preflight.policy, preflight.snapshot, REPLACES)
        yield Fact(
            message=f"the rollback will not go on by itself: {found.why}",
            remedy=f"let backout delete it after the patch: {line}"
            if found.is_safe
            else f"after the patch: {found.remedy}",
        )


def stuck_pod_is_replaced(preflight: Preflight) -> Iterator[Fact]:
    """What the user asked to have deleted, once the target's template is set."""
    found = _stuck(preflight)
    if found is not None and _is_replaced(preflight, found):
        yield Fact(
            message=f"Pod {objects.name(found.pod)} will be deleted after the patch, and each "
            "further Pod that holds the rollback up, one at a time",
            detail=found.why,
        )


def stuck_pod_may_not_be_replaced(preflight: Preflight) -> Iterator[Fact]:
    """What the user asked for cannot be had: better said before the act than after it."""
    may = preflight.snapshot.permissions.get(str(permissions.DELETE_PODS))
    if preflight.policy.replace_stuck_pods and may is False:
        yield Fact(
            message=f"{REPLACES} was given, and you may not delete pods in namespace "
            f"{preflight.snapshot.target.namespace}",
            remedy=f"ask for this rule in a Role: {permissions.DELETE_RULE}; or leave {REPLACES} "
            "out",
        )


def _stuck(preflight: Preflight) -> StuckPod | None:
    snapshot, there = preflight.snapshot, preflight.destination
    seen = PodsSeen(own=there.pods, others=_old(preflight), stored=there.stored, now=snapshot.now)
    return snapshot.kind.stuck(snapshot.workload, seen)


def _is_replaced(preflight: Preflight, found: StuckPod) -> bool:
    return preflight.policy.replace_stuck_pods and found.is_safe


def _old(preflight: Preflight) -> list[Object]:
    """Return the workload's Pods that are not of the target."""
    own = {objects.uid(p) for p in preflight.destination.pods}
    uid = objects.uid(preflight.snapshot.workload)
    pods = preflight.snapshot.pods
    return [p for p in pods if objects.uid(p) not in own and objects.is_controlled_by(p, uid)]


CHECKS = (
    Check(
        id="PF608",
        severity=Severity.BLOCK,
        title="Pods are replaced only by hand",
        find=nothing_moves,
    ),
    Check(
        id="PF609",
        severity=Severity.WARN,
        title="a Pod will hold the rollback up",
        find=pod_will_be_stuck,
        needs=frozenset({Need.PODS}),
    ),
    Check(
        id="PF610",
        severity=Severity.WARN,
        title="a partition leaves Pods as they are",
        find=pods_are_not_reached,
    ),
    Check(
        id="PF611",
        severity=Severity.INFO,
        title="a Pod that would hold the rollback up will be deleted",
        find=stuck_pod_is_replaced,
        needs=frozenset({Need.PODS}),
    ),
    Check(
        id="PF612",
        severity=Severity.BLOCK,
        title="Pods that hold the rollback up may not be deleted",
        find=stuck_pod_may_not_be_replaced,
        needs=frozenset({Need.PERMISSIONS}),
        acceptable=False,
    ),
)
