"""Pods, ReplicaSets, events -> ranked causes with evidence and a remedy.

Classes, signals and what may be called final at first sight: docs/failures/ (a page a code).
Messages come verbatim from the kubelet and the controllers: they are untrusted text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backout.core import objects
from backout.core.causes import RANK, REMEDIES, Cause, of_pod
from backout.core.container_causes import of_container

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.model import Object

CLOCKS = timedelta(seconds=5)
"""How far a node's clock, which stamps events, may be behind the API server's."""

_MISSING_OBJECT = re.compile(
    r'(configmap|secret) "[^"]*" not found|references non-existent', re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Before:
    """How things were before our PATCH: what was broken then is nobody's root cause now.

    `restarts` are counts by Pod UID and container name, `broken` UIDs of Pods that were not Ready,
    `since` the server's time: older events do not count.
    """

    restarts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    since: datetime | None = None


def before(pods: Iterable[Object], since: datetime) -> Before:
    """Return how things were, from the Pods as read before the PATCH."""
    listed = list(pods)
    return Before(
        restarts={
            (objects.uid(p), str(s.get("name"))): int(s.get("restartCount") or 0)
            for p in listed
            for s, _ in _statuses(p)
        },
        broken=frozenset(objects.uid(p) for p in listed if not objects.is_ready(p)),
        since=since,
    )


NOTHING = Before()


def causes(
    workload: Object,
    replica_set: Object | None,
    pods: Iterable[Object],
    events: Iterable[Object] = (),
    *,
    earlier: Before = NOTHING,
) -> tuple[Cause, ...]:
    """Return what keeps Pods of one revision from being ready, the root cause first.

    `pods` are the Pods of that revision, `events` any events (others' are passed over). Final
    causes rank before suspected ones, causes nearer the start of a Pod's life before later ones.
    A Pod that was broken before our PATCH yields suspected causes only.
    """
    by_uid = _events_by_uid(events, earlier.since)
    found = list(_creation(workload, replica_set, by_uid))
    for pod in pods:
        if not objects.is_ready(pod):
            was_broken = objects.uid(pod) in earlier.broken
            own = _of_pod(pod, by_uid.get(objects.uid(pod), ()), earlier)
            found.extend(replace(c, is_final=c.is_final and not was_broken) for c in own)
    return tuple(sorted(found, key=lambda c: (not c.is_final, RANK[c.code], c.subject)))


def unready(pods: Iterable[Object]) -> tuple[Cause, ...]:
    """Return what the Pods' own status tells where no event does; for when time is up.

    Before that, running and not ready yet is what every good Pod is for a while.
    """
    found: list[Cause] = []
    for pod in pods:
        started = _has_started(pod)
        for status, is_init in _statuses(pod):
            if is_init or objects.dig(status, "ready") is True:
                continue
            container = f"container {status.get('name')}"
            if objects.dig(status, "state", "running") is not None:
                asks = _probe(pod, "Readiness")
                text = f"{container} runs and is not ready; {asks}"
                found.append(of_pod("PROBE_READINESS", pod, text, "ready: false, state: running"))
            elif not started and objects.dig(pod, "spec", "volumes"):
                text = f"{container} is not created; its volumes may not be mounted"
                found.append(of_pod("VOLUME", pod, text, "state: waiting ContainerCreating"))
    return tuple(found)


def _creation(
    workload: Object, replica_set: Object | None, events: Mapping[str, Sequence[Object]]
) -> Iterator[Cause]:
    """Yield why Pods cannot be created: ReplicaFailure, worded by the ReplicaSet's own event."""
    failure = objects.condition(replica_set, "ReplicaFailure") if replica_set else None
    if replica_set is None or failure is None or failure.get("status") != "True":
        return
    own = events.get(objects.uid(replica_set), ())
    refused = [str(e.get("message", "")) for e in own if e.get("reason") == "FailedCreate"]
    text = str(failure.get("message") or (refused[-1] if refused else ""))
    code = "QUOTA" if "exceeded quota" in text or "failed quota" in text else "ADMISSION"
    # A full quota may be full of the Pods that are being replaced: the clock decides there.
    yield Cause(
        code=code,
        uid=objects.uid(workload),
        subject=f"ReplicaSet {objects.name(replica_set)}",
        message=f"the API server refuses its Pods: {text}",
        evidence=f"ReplicaFailure: {text}",
        remedy=REMEDIES[code],
        is_final=code == "ADMISSION" and "is forbidden" in text,
    )


def _of_pod(pod: Object, events: Sequence[Object], earlier: Before) -> Iterator[Cause]:
    unscheduled = objects.condition(pod, "PodScheduled")
    if unscheduled is not None and unscheduled.get("status") == "False":
        text = str(unscheduled.get("message", ""))
        code = "VOLUME" if "persistentvolumeclaim" in text.lower() else "UNSCHEDULABLE"
        yield of_pod(code, pod, f"no node takes it: {text}", f"PodScheduled: {text}")
        return
    found: list[Cause] = []
    for status, is_init in _statuses(pod):
        count = int(status.get("restartCount") or 0)
        count -= earlier.restarts.get((objects.uid(pod), str(status.get("name"))), 0)
        found += of_container(pod, status, events, restarts=max(0, count), is_init=is_init)
    yield from found
    if not found:
        yield from _by_events(pod, events)


def _statuses(pod: Object) -> Iterator[tuple[Object, bool]]:
    for key, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for status in objects.dig(pod, "status", key, default=[]):
            yield status, is_init


def _by_events(pod: Object, events: Sequence[Object]) -> Iterator[Cause]:
    """Yield what only events and conditions tell: volumes, probes, readiness gates.

    An event outlives its reason by an hour: a mount that failed counts only while nothing of the
    Pod has started. The newest event of a kind decides.
    """
    newest = {str(e.get("reason")): str(e.get("message", "")) for e in events}
    mount = newest.get("FailedMount") or newest.get("FailedAttachVolume")
    ready = objects.condition(pod, "Ready") or {}
    if mount and not _has_started(pod):
        final = bool(_MISSING_OBJECT.search(mount))
        code = "CONFIG_MISSING" if final else "VOLUME"
        yield of_pod(code, pod, f"a volume cannot be mounted: {mount}", mount, is_final=final)
    elif "Unhealthy" in newest and _has_started(pod):
        text = newest["Unhealthy"]
        code = "PROBE_READINESS" if text.startswith("Readiness") else "PROBE_LIVENESS"
        yield of_pod(code, pod, f"{_probe(pod, text)}: {text}", text)
    elif ready.get("reason") == "ReadinessGatesNotReady":
        text = str(ready.get("message", ""))
        yield of_pod("READINESS_GATE", pod, f"a readiness gate is not met: {text}", text)


def _has_started(pod: Object) -> bool:
    return any(
        objects.dig(s, "state", state) is not None
        for s, _ in _statuses(pod)
        for state in ("running", "terminated")
    )


def _probe(pod: Object, text: str) -> str:
    """Return what the failing probe asks, from the Pod's own spec."""
    kind = {"R": "readinessProbe", "L": "livenessProbe", "S": "startupProbe"}.get(text[:1], "")
    for container in objects.dig(pod, "spec", "containers", default=[]):
        request = objects.dig(container, kind, "httpGet")
        if request:
            what = f"asks {request.get('path', '/')} on port {request.get('port')}"
            return f"the {kind} of container {container.get('name')} {what}"
    return "no HTTP probe is named" if text == "Readiness" else "a probe fails"


def _events_by_uid(events: Iterable[Object], since: datetime | None) -> dict[str, list[Object]]:
    """Return events by the UID of what they are about, oldest first, none older than `since`."""
    by_uid: dict[str, list[Object]] = {}
    for event in sorted(events, key=_when):
        at = objects.timestamp(_when(event))
        if since is not None and at is not None and at < since - CLOCKS:
            continue
        by_uid.setdefault(str(objects.dig(event, "involvedObject", "uid")), []).append(event)
    return by_uid


def _when(event: Object) -> str:
    # Scheduler events have only eventTime, kubelet events only lastTimestamp.
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
