"""Pods that have ended for good: evicted, refused by the kubelet, gone with their node.

The ReplicaSet makes another one (IsPodActive, pkg/controller/controller_utils.go), and that one may
fare better: never final. Nodes shed Pods for reasons of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis.causes import of_pod
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

_EVICTED = {"Evicted", "Preempting", "Preempted"}


def of_ended(
    workload: Object,
    pods: Sequence[Object],
    broken: frozenset[str],
    events: Mapping[str, Sequence[Object]],
) -> Iterator[Cause]:
    """Yield why Pods of a revision do not last.

    `broken` are UIDs that had ended before: history. `events` by the UID of what they are about.
    """
    ended = [p for p in pods if is_over(p) and objects.uid(p) not in broken]
    if not ended:
        return
    newest = max(ended, key=_created)
    reason, text = _reason(newest, events.get(objects.uid(newest), ()))
    code = "EVICTED" if reason in _EVICTED else "POD_FAILED"
    times = f", {len(ended)} Pods so far" if len(ended) > 1 else ""
    words = f"it was ended ({reason}{times}): {text}".removesuffix(": ")
    yield replace(of_pod(code, newest, words, f"{reason}: {text}"), uid=objects.uid(workload))


def is_over(pod: Object) -> bool:
    """Tell whether a Pod has ended for good and is not being deleted."""
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
