"""Whether Pods of the target must be started, or enough of them run (design section 5).

What only hinders a start blocks when Pods must be started; in the typical stuck rollout the old
Pods still run, and then it warns.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.model import Object


def must_start(workload: Object, *, ready: int) -> bool:
    """Tell whether the `ready` Pods of the target are fewer than replicas - maxUnavailable.

    With replicas 0 nothing is started.
    """
    replicas = objects.replicas(workload)
    return replicas > 0 and ready < max(1, replicas - max_unavailable(workload))


def max_unavailable(workload: Object) -> int:
    """Return the rolling update's maxUnavailable as a count of Pods; Recreate allows all.

    A percentage is rounded down, and 1 where both it and maxSurge come to 0 (ResolveFenceposts in
    kubernetes pkg/controller/deployment/util/deployment_util.go).
    """
    replicas = objects.replicas(workload)
    if objects.dig(workload, "spec", "strategy", "type") == "Recreate":
        return replicas
    rolling = objects.dig(workload, "spec", "strategy", "rollingUpdate", default={})
    unavailable = _count(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    surge = _count(rolling.get("maxSurge", "25%"), replicas, up=True)
    return 1 if unavailable == 0 and surge == 0 else unavailable


def max_surge(workload: Object) -> int:
    """Return the rolling update's maxSurge as a count of Pods, rounded up; Recreate has none."""
    if objects.dig(workload, "spec", "strategy", "type") == "Recreate":
        return 0
    rolling = objects.dig(workload, "spec", "strategy", "rollingUpdate", default={})
    return _count(rolling.get("maxSurge", "25%"), objects.replicas(workload), up=True)


def first_pods(workload: Object, *, of_target: int, of_all: int) -> int:
    """Return how many Pods of the target a rolling update makes before an old one goes.

    `of_target` and `of_all` are the Pods that are there (NewRSNewReplicas in kubernetes
    pkg/controller/deployment/util/deployment_util.go).
    """
    replicas = objects.replicas(workload)
    room = replicas + max_surge(workload) - of_all
    return max(0, min(room, replicas - of_target))


def _count(amount: int | str, replicas: int, *, up: bool) -> int:
    text = str(amount)
    if not text.endswith("%"):
        return int(text)
    exact = Fraction(int(text[:-1]) * replicas, 100)
    return -(-exact.numerator // exact.denominator) if up else int(exact)
