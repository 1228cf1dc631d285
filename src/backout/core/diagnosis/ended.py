"""Pods that have ended for good: evicted, refused by the kubelet, gone with their node.

The ReplicaSet makes another one (IsPodActive, pkg/controller/controller_utils.go); the question is
whether that one will fare better.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import of_pod
from backout.core.diagnosis.containers import FINAL_RESTARTS
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

_EVICTED = {"Evicted", "Preempting", "Preempted"}


def of_ended(
    workload: Object,
    kind: Kind,
    pods: Sequence[Object],
    broken: frozenset[str],
    events: Mapping[str, Sequence[Object]],
) -> Iterator[Cause]:
    """Yield why Pods of a revision do not last.

    `broken` are UIDs that had ended before, `events` by the UID of what they are about. Suspected
    at the first; final where each replica could have been tried three times, as with a container
    that crashes: one bad node is no failure of a revision.
    """
    ended = [p for p in pods if _is_over(p) and objects.uid(p) not in broken]
    if not ended:
        return
    newest = max(ended, key=_created)
    reason, text = _reason(newest, events.get(objects.uid(newest), ()))
    code = "EVICTED" if reason in _EVICTED else "POD_FAILED"
    times = f", {len(ended)} Pods so far" if len(ended) > 1 else ""
    words = f"it was ended ({reason}{times}): {text}".removesuffix(": ")
    final = len(ended) >= FINAL_RESTARTS * max(1, kind.counters(workload).wanted)
    cause = of_pod(code, newest, words, f"{reason}: {text}", is_final=final)
    yield replace(cause, uid=objects.uid(workload))
    for pod in pods if final else ():
        if objects.is_active(pod) and not objects.is_ready(pod):
            yield replace(cause, uid=objects.uid(pod))


def _is_over(pod: Object) -> bool:
    phase = objects.dig(pod, "status", "phase")
    return phase in {"Failed", "Succeeded"} and not objects.dig(
        pod, "metadata", "deletionTimestamp"
    )


def _reason(pod: Object, events: Sequence[Object]) -> tuple[str, str]:
    """Return why a Pod was ended and in what words.

    A Pod whose containers leave with exit 0 when they are told to is Succeeded, without a reason:
    only the kubelet's event says that it was evicted (measured, 1.34.4).
    """
    for event in reversed(events):
        if event.get("reason") in _EVICTED:
            return str(event["reason"]), str(event.get("message", ""))
    phase = str(objects.dig(pod, "status", "phase"))
    reason = str(objects.dig(pod, "status", "reason", default=f"phase {phase}"))
    return reason, str(objects.dig(pod, "status", "message", default=""))


def _created(pod: Object) -> str:
    return str(objects.dig(pod, "metadata", "creationTimestamp", default=""))
