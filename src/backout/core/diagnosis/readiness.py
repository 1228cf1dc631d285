"""Running and not ready: when that is suspicious, when it is final, and what does not fit.

A process that comes up late because its database did is not a failure (failures.md, rule 3): the
probe's own arithmetic makes it suspected; twice that, 30 s and three times the longest warm-up of
the workload's other Pods make it final. Sooner where the template contradicts the application.
"""

from __future__ import annotations

import re
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backout.core.diagnosis import probes
from backout.core.diagnosis.causes import of_pod
from backout.core.kubernetes import objects
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.probes import Asked
    from backout.core.model import Object

SHORTEST = timedelta(seconds=30)
_NOT_FOUND = re.compile(r"statuscode: 404\b")
_REFUSED = re.compile(r"connection refused", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Others:
    """What is known of the workload's other Pods and revisions.

    `warm_up` is the longest time from a container's start to Ready seen; `asked` what the readiness
    probes of the other revisions ask, by container.
    """

    warm_up: timedelta = timedelta(0)
    asked: Mapping[str, frozenset[Asked]] = field(default_factory=dict)


def warm_up(pods: Iterable[Object]) -> timedelta:
    """Return the longest time that a Ready Pod took from its container's start to Ready.

    Only Pods that have never restarted tell: Ready may have come back since.
    """
    return max((t for p in pods if (t := _took(p)) is not None), default=timedelta(0))


def of_unready(
    pod: Object, events: Sequence[Object], others: Others, now: datetime
) -> Iterator[Cause]:
    """Yield why containers that run are not ready, as soon as that is suspicious."""
    for status in objects.dig(pod, "status", "containerStatuses", default=[]):
        container = _spec_of(pod, str(status.get("name")))
        started = objects.timestamp(objects.dig(status, "state", "running", "startedAt"))
        is_waiting = objects.dig(status, "ready") is not True and status.get("started") is not False
        if container is None or started is None or not is_waiting:
            continue
        if not container.get(probes.READINESS):
            continue
        yield from _judged(pod, container, _answer(container, events), others, now - started)


def _judged(
    pod: Object, container: Object, answer: str, others: Others, age: timedelta
) -> Iterator[Cause]:
    name = str(container.get("name"))
    allowed = probes.allowed(container)
    elsewhere = _elsewhere(container, others)
    is_wrong_path = bool(elsewhere) and bool(_NOT_FOUND.search(answer))
    if age < allowed and not is_wrong_path:
        return
    is_wrong_port = bool(elsewhere) and bool(_REFUSED.search(answer))
    is_late = age >= max(2 * allowed, SHORTEST, 3 * others.warm_up)
    what = probes.asked(container, probes.READINESS)
    asks = f"asks {what}" if what is not None else "runs a command"
    text = f"the readinessProbe of container {name} {asks}, and it is not ready"
    if answer:
        text += f": {answer}"
    if is_wrong_path or is_wrong_port:
        text += f"; other revisions answer {', '.join(map(str, elsewhere))}"
    yield of_pod(
        "PROBE_READINESS",
        pod,
        text,
        answer or f"ready: false, {age.total_seconds():.0f} s after its start",
        is_final=is_wrong_path or is_wrong_port or is_late,
        container=name,
    )


def _elsewhere(container: Object, others: Others) -> list[Asked]:
    """Return what other revisions' probes ask of this container, where path or port differ.

    HTTPS instead of HTTP explains neither a 404 nor a refused connection.
    """
    mine = probes.asked(container, probes.READINESS)
    theirs = others.asked.get(str(container.get("name")), frozenset())
    if mine is None or not mine.path:
        return []
    if any((other.path, other.port) == (mine.path, mine.port) for other in theirs):
        return []
    return sorted(theirs)


def _answer(container: Object, events: Sequence[Object]) -> str:
    """Return what the newest failure of the container's readiness probe says; empty without one."""
    field_path = f"spec.containers{{{container.get('name')}}}"
    start = "Readiness probe failed: "
    texts = [
        str(e.get("message", ""))
        for e in events
        if e.get("reason") == "Unhealthy"
        and objects.dig(e, "involvedObject", "fieldPath", default=field_path) == field_path
    ]
    return next((t.removeprefix(start) for t in reversed(texts) if t.startswith(start)), "")


def _spec_of(pod: Object, name: str) -> Object | None:
    containers = objects.dig(pod, "spec", "containers", default=[])
    return next((c for c in containers if c.get("name") == name), None)


def _took(pod: Object) -> timedelta | None:
    ready = objects.condition(pod, "Ready")
    statuses = objects.dig(pod, "status", "containerStatuses", default=[])
    began = [objects.timestamp(objects.dig(s, "state", "running", "startedAt")) for s in statuses]
    at = objects.timestamp(objects.dig(ready, "lastTransitionTime"))
    has_restarted = any(int(s.get("restartCount") or 0) for s in statuses)
    known = [b for b in began if b is not None]
    if not objects.is_ready(pod) or at is None or has_restarted or len(known) != len(began):
        return None
    return max((at - b for b in known), default=None)
