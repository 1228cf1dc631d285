"""What is awaited where nothing is wrong yet: told when time is up and in signs of life.

Before that, being pulled, starting and ending is what every good Pod does for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis import probes
from backout.core.diagnosis.causes import of_pod, of_workload
from backout.core.kubernetes import events as told
from backout.core.kubernetes import objects
from backout.core.kubernetes.managed_fields import status_written
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

_ECHOES = frozenset({"ContainersNotReady", "", None})
"""Reasons of conditions that say no more than that a container is not ready; or nothing."""
_DONE_PULLING = {"Pulled", "Failed", "BackOff", "Created", "Started"}


def awaited(
    workload: Object,
    kind: Kind,
    pods: Iterable[Object],
    others: Iterable[Object],
    events: Iterable[Object],
    now: datetime,
) -> tuple[Cause, ...]:
    """Return what the objects themselves tell of what is awaited, by the server's time `now`.

    Where nothing tells, what the controller counts: "no progress" alone is no answer.
    `pods` are the revision's own, `others` the workload's other Pods.
    """
    by_uid = told.by_uid(told.in_order(events), None)
    listed = list(pods)
    found: list[Cause] = []
    for pod in listed:
        if objects.is_active(pod) and not objects.is_ready(pod):
            found += _of_pod(pod, by_uid.get(objects.uid(pod), ()), now)
    found += [_terminating(p, now) for p in [*others, *listed] if _deleted(p) is not None]
    found += () if found else _of_workload(workload, kind)
    return tuple(replace(c, is_context=True) for c in found)


def _of_pod(pod: Object, events: Sequence[Object], now: datetime) -> Iterator[Cause]:
    pulling = [
        e
        for e in events
        if e.get("reason") == "Pulling" and not _is_over(e, events) and _is_waiting(pod)
    ]
    if pulling:
        text = str(pulling[-1].get("message", ""))
        since = status_written(pod)
        lasted = f" since {span(now, since=since)}" if since is not None else ""
        image = text.removeprefix("Pulling image ").strip('"')
        yield of_pod("IMAGE_PULLING", pod, f"image {image} is being pulled{lasted}", text)
        return
    unready = [s for s, is_init in _serving(pod) if not is_init and s.get("ready") is not True]
    for status in unready:
        container = f"container {status.get('name')}"
        if objects.dig(status, "state", "running") is not None:
            words = f"{container} runs and is not ready; {_asks(pod, str(status.get('name')))}"
            yield of_pod(
                "PROBE_READINESS",
                pod,
                words,
                f"ready: false, state: running; {_conditions(pod)}",
                container=str(status.get("name")),
            )
            return
    state = objects.dig(unready[0], "state", "waiting", "reason") if unready else None
    words = _conditions(pod)
    if state:
        words = f"container {unready[0].get('name')} waits ({state}); {_conditions(pod, _ECHOES)}"
    yield of_pod("NOT_READY", pod, words, _conditions(pod))


def _serving(pod: Object) -> list[tuple[Object, bool]]:
    """Return the statuses of containers and sidecars, and whether each is an init container's."""
    always = {str(c.get("name")) for c in objects.serving_containers(pod)}
    return [(s, str(s.get("name")) not in always) for s, _ in objects.container_statuses(pod)]


def _is_waiting(pod: Object) -> bool:
    return any(
        objects.dig(s, "state", "waiting") is not None for s, _ in objects.container_statuses(pod)
    )


def _is_over(pulling: Object, events: Sequence[Object]) -> bool:
    """Tell whether something of the same container came after its image began to be pulled."""
    at, where = told.last_seen(pulling), objects.dig(pulling, "involvedObject", "fieldPath")
    return any(
        e.get("reason") in _DONE_PULLING
        and objects.dig(e, "involvedObject", "fieldPath") == where
        and at is not None
        and (told.last_seen(e) or at) >= at
        for e in events
    )


def _asks(pod: Object, name: str) -> str:
    """Return what the container's readiness probe asks, from the Pod's own spec."""
    found = next((c for c in objects.serving_containers(pod) if c.get("name") == name), None)
    probe = probes.asked(found, probes.READINESS) if found is not None else None
    if probe is not None:
        return f"the readinessProbe asks {probe}"
    return "no probe of it asks a port"


def _conditions(pod: Object, but: Collection[object] = ()) -> str:
    """Return the Pod's phase and the conditions that are not met, verbatim.

    `but` are reasons that are left out, None and empty those of a condition without one.
    """
    phase = str(objects.dig(pod, "status", "phase", default="Pending"))
    unmet = [
        f"{c.get('type')}=False ({c.get('reason')}: {c.get('message')})".replace(": None", "")
        for c in objects.dig(pod, "status", "conditions", default=[])
        if c.get("status") == "False" and c.get("reason") not in but
    ]
    return ", ".join([f"phase {phase}", *unmet])


def _deleted(pod: Object) -> str | None:
    found = objects.dig(pod, "metadata", "deletionTimestamp")
    return str(found) if found else None


def _terminating(pod: Object, now: datetime) -> Cause:
    """Return why a Pod that is being deleted is not gone: its finalizers, or its grace period.

    Its deletionTimestamp is when the grace period ends.
    """
    grace = int(objects.dig(pod, "metadata", "deletionGracePeriodSeconds", default=0))
    ends = objects.timestamp(_deleted(pod))
    since = f" since {_ago(ends, grace, now)}" if ends is not None else ""
    finalizers = objects.dig(pod, "metadata", "finalizers", default=[])
    held = (
        f"finalizer {', '.join(map(str, finalizers))} holds it"
        if finalizers
        else (f"its grace period is {grace} s")
    )
    words = f"it is terminating{since}; {held}"
    return of_pod("TERMINATING", pod, words, f"deletionTimestamp: {_deleted(pod)}")


def _ago(ends: datetime, grace: int, now: datetime) -> str:
    seconds = max(0.0, (now - ends).total_seconds() + grace)
    return f"{seconds:.0f} s"


def _of_workload(workload: Object, kind: Kind) -> Iterator[Cause]:
    """Yield what the workload's own conditions say that is not as it should be; else its counts."""
    unmet = list(_unmet(workload))
    for words in unmet or [_counted(workload, kind)]:
        subject = f"{kind.resource.name} {objects.name(workload)}"
        yield of_workload("NOT_READY", workload, subject, words, words)


def _unmet(workload: Object) -> Iterator[str]:
    for condition in objects.dig(workload, "status", "conditions", default=[]):
        bad = "True" if condition.get("type") == "ReplicaFailure" else "False"
        if condition.get("status") == bad:
            text, reason = str(condition.get("message", "")), str(condition.get("reason", ""))
            yield f"{condition.get('type')}={bad} ({reason}): {text}"


def _counted(workload: Object, kind: Kind) -> str:
    """Return how far the controller is, in its own numbers."""
    now, newest = objects.observed_generation(workload), objects.generation(workload)
    if now < newest:
        return f"its controller has not acted on the newest spec (generation {newest}, seen {now})"
    count = kind.counters(workload)
    held = objects.dig(workload, "spec", "minReadySeconds", default=0)
    stays = f"; a Pod counts once it has been Ready for {held} s (minReadySeconds)" if held else ""
    return (
        f"no Pod of it says what it waits for; its controller counts {count.updated} of "
        f"{count.wanted} updated, {count.ready} ready, {count.available} available, "
        f"{count.total} in all{stays}"
    )
