"""A Pod of another template that the rollout waits for in vain: nothing but its end frees it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis import probes
from backout.core.diagnosis.causes import of_pod
from backout.core.kubernetes import objects
from backout.core.kubernetes.managed_fields import unwritten_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind, PodsSeen
    from backout.core.model import Object

CODE = "STUCK_POD"


def of_stuck(
    workload: Object, kind: Kind, seen: PodsSeen, since: datetime | None
) -> Iterator[Cause]:
    """Yield the Pod that the controller waits for and does not replace, where there is one.

    Ready for a moment it would be replaced: what runs is given the time that its own probes allow
    twice, counted from `since` at the earliest.
    """
    found = kind.stuck(workload, seen) if objects.is_observed(workload) else None
    if found is None:
        return
    running = {
        status.get("name")
        for status, _ in objects.container_statuses(found.pod)
        if objects.dig(status, "state", "running") is not None
    }
    asked = (c for c in objects.containers(found.pod) if c.get("name") in running)
    allowed = max(map(probes.allowed, asked), default=timedelta(0))
    phase = objects.dig(found.pod, "status", "phase", default="Pending")
    cause = of_pod(
        CODE,
        found.pod,
        found.why,
        f"phase {phase}, Ready: {objects.dig(objects.condition(found.pod, 'Ready'), 'status')}",
        told_for=unwritten_for(found.pod, seen.now, since),
        final_after=2 * allowed,
        unless="it becomes Ready",
    )
    yield replace(cause, remedy=found.remedy, is_ours_to_end=found.is_safe)
