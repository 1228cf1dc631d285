"""Running and not ready: when that is suspicious, when it is final, and what does not fit.

A process that comes up late because its database did is not a failure: the probe's own arithmetic
makes it suspected; with a peer it is final after twice that, 60 s, three times the longest warm-up
of the workload's other Pods and, for a revision that never ran before, a quarter of the progress
deadline, whichever is longest. Sooner where the template contradicts the application.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.diagnosis import probes
from backout.core.diagnosis.causes import of_pod
from backout.core.kubernetes import events as told
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.probes import Asked
    from backout.core.model import Object

SHORTEST = timedelta(seconds=60)
_NOT_FOUND = re.compile(r"statuscode: 404\b")
_PROBE_EVENTS = {"Unhealthy", "ProbeWarning"}
_REFUSED = re.compile(r"connection refused", re.IGNORECASE)


class Others(Struct, frozen=True, kw_only=True):
    """What is known of the workload's other Pods and revisions.

    `warm_up` is the longest time from a container's start to Ready seen; `asked` what the readiness
    probes of the other revisions ask, by container; `secrets` those that they name. `ran`: this
    revision has run before. `deadline` is the progress deadline.
    """

    warm_up: timedelta = timedelta(0)
    asked: Mapping[str, frozenset[Asked]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    ran: bool = False
    deadline: timedelta = timedelta(seconds=600)


def warm_up(pods: Iterable[Object]) -> timedelta:
    """Return the longest time that a Ready Pod took from its container's start to Ready.

    Only Pods that have never restarted tell: Ready may have come back since.
    """
    return max((t for p in pods if (t := _took(p)) is not None), default=timedelta(0))


def of_unready(
    pod: Object, events: Sequence[Object], others: Others, unchanged: timedelta
) -> Iterator[Cause]:
    """Yield why containers that run are not ready; `finality` says when that is suspicious.

    `unchanged` is how long the Pod's status has not been written.
    """
    for status, container in _serving(pod):
        started = objects.timestamp(objects.dig(status, "state", "running", "startedAt"))
        is_waiting = objects.dig(status, "ready") is not True and status.get("started") is not False
        if started is None or not is_waiting or not container.get(probes.READINESS):
            continue
        failures = _failures(container, events, "Readiness probe")
        last = told.last_seen(failures[-1]) if failures else None
        lasted = max(unchanged, last - started if last is not None else timedelta(0))
        yield _judged(pod, status, container, _answer(failures), others, lasted)


def _serving(pod: Object) -> Iterator[tuple[Object, Object]]:
    """Yield containers and sidecars: each one's status, and what the Pod says of it."""
    known = {str(c.get("name")): c for c in objects.serving_containers(pod)}
    for status, _ in objects.container_statuses(pod):
        container = known.get(str(status.get("name")))
        if container is not None:
            yield status, container


def _judged(
    pod: Object,
    status: Object,
    container: Object,
    answer: str,
    others: Others,
    lasted: timedelta,
) -> Cause:
    name = str(container.get("name"))
    allowed = probes.allowed(container)
    elsewhere = _elsewhere(container, others)
    is_wrong_path = bool(elsewhere) and bool(_NOT_FOUND.search(answer))
    is_wrong = is_wrong_path or (bool(elsewhere) and bool(_REFUSED.search(answer)))
    what = probes.asked(container, probes.READINESS)
    asks = f"asks {what}" if what is not None else "runs a command"
    text = f"the readinessProbe of container {name} {asks}, and it is not ready"
    if answer:
        text += f": {answer}"
    if is_wrong:
        text += f"; other revisions answer {', '.join(map(str, elsewhere))}"
    shortened = is_wrong and not others.ran
    return of_pod(
        "PROBE_READINESS",
        pod,
        text,
        answer or f"ready: false, {lasted.total_seconds():.0f} s after its start",
        container=name,
        about=str(objects.dig(status, "state", "running", "startedAt")),
        told_for=lasted,
        allowed=timedelta(0) if is_wrong_path else allowed,
        final_after=allowed if shortened else _longest(status, allowed, others),
    )


def _longest(status: Object, allowed: timedelta, others: Others) -> timedelta:
    """Return how long it may be not ready where the surroundings work."""
    migrates = not others.ran and not status.get("restartCount")
    fourth = others.deadline / 4 if migrates else timedelta(0)
    return max(2 * allowed, SHORTEST, 3 * others.warm_up, fourth)


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


def _failures(container: Object, events: Sequence[Object], start: str) -> list[Object]:
    """Return the failures of a probe of this container, oldest first."""
    field_path = f"{{{container.get('name')}}}"
    return [
        e
        for e in events
        if e.get("reason") in _PROBE_EVENTS
        and str(e.get("message", "")).startswith(start)
        and str(objects.dig(e, "involvedObject", "fieldPath", default=field_path)).endswith(
            field_path
        )
    ]


def _answer(failures: Sequence[Object]) -> str:
    """Return what the newest failure of the readiness probe says; empty without one."""
    text = str(failures[-1].get("message", "")) if failures else ""
    return text.removeprefix("Readiness probe failed: ").removeprefix("Readiness probe ")


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
