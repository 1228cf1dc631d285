"""Pods that have ended for good: evicted, refused by the kubelet, gone with their node.

The ReplicaSet makes another one (IsPodActive, pkg/controller/controller_utils.go); the question is
whether that one will fare better.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core import objects
from backout.core.causes import of_pod
from backout.core.container_causes import FINAL_RESTARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.causes import Cause
    from backout.core.model import Object


def of_ended(workload: Object, pods: Sequence[Object], broken: frozenset[str]) -> Iterator[Cause]:
    """Yield why Pods of a revision do not last; `broken` are UIDs that had ended before.

    Suspected at the first; final where each replica could have been tried three times, as with a
    container that crashes: one bad node is no failure of a revision.
    """
    ended = [p for p in pods if is_over(p) and objects.uid(p) not in broken]
    if not ended:
        return
    newest = max(ended, key=_created)
    reason = str(objects.dig(newest, "status", "reason", default="Failed"))
    text = str(objects.dig(newest, "status", "message", default=""))
    code = "EVICTED" if reason in {"Evicted", "Preempting"} else "POD_FAILED"
    times = f", {len(ended)} Pods so far" if len(ended) > 1 else ""
    words = f"it was ended ({reason}{times}): {text}".removesuffix(": ")
    final = len(ended) >= FINAL_RESTARTS * max(1, objects.replicas(workload))
    cause = of_pod(code, newest, words, f"phase Failed, {reason}: {text}", is_final=final)
    yield replace(cause, uid=objects.uid(workload))
    for pod in pods if final else ():
        if objects.is_active(pod) and not objects.is_ready(pod):
            yield replace(cause, uid=objects.uid(pod))


def is_over(pod: Object) -> bool:
    """Tell whether a Pod has failed for good and another one takes its place."""
    return bool(objects.dig(pod, "status", "phase") == "Failed")


def _created(pod: Object) -> str:
    return str(objects.dig(pod, "metadata", "creationTimestamp", default=""))
