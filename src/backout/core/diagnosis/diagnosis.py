"""Pods, ReplicaSets, events -> ranked causes with evidence and a remedy.

Classes, signals and what may be called final at first sight: docs/failures/ (a page a code).
Messages come verbatim from the kubelet and the controllers: they are untrusted text.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backout.core.diagnosis import probes
from backout.core.diagnosis.causes import RANK, Cause, of_pod
from backout.core.diagnosis.containers import of_container
from backout.core.diagnosis.creation import of_creation
from backout.core.diagnosis.ended import of_ended
from backout.core.diagnosis.placement import Cluster, of_claims, unplaced
from backout.core.diagnosis.readiness import Others, of_unready, warm_up
from backout.core.kubernetes import objects
from backout.core.kubernetes.events import by_uid as events_by_uid
from backout.core.kubernetes.events import in_order
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.diagnosis.exits import Exit, Key
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

FORGOTTEN = timedelta(minutes=10)
"""After so long a run the kubelet's back-off begins anew (twice its longest, pkg/kubelet)."""

_NO_RUNTIME = re.compile(r'no runtime for "[^"]*" is configured')
_MISSING_OBJECT = re.compile(
    r'(configmap|secret) "[^"]*" not found|references non-existent', re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Before:
    """How things were before our PATCH: what was broken then is nobody's root cause now.

    `restarts` are counts by Pod UID and container name, `broken` UIDs of Pods that were not Ready,
    `since` the server's time: older events do not count. `others` is what the workload's other Pods
    and revisions tell about a good one.
    """

    restarts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    since: datetime | None = None
    others: Others = field(default_factory=Others)


def before(pods: Iterable[Object], since: datetime, templates: Iterable[Object] = ()) -> Before:
    """Return how things were, from the Pods as read before the PATCH.

    `templates` are the Pod templates of the other revisions.
    """
    listed = list(pods)
    return Before(
        restarts={
            (objects.uid(p), str(s.get("name"))): int(s.get("restartCount") or 0)
            for p in listed
            for s, _ in objects.container_statuses(p)
        },
        broken=frozenset(objects.uid(p) for p in listed if not objects.is_ready(p)),
        since=since,
        others=others_of(listed, templates),
    )


def others_of(pods: Iterable[Object], templates: Iterable[Object]) -> Others:
    """Return what a workload's Pods, and its other revisions' templates, tell of a good one."""
    return Others(warm_up=warm_up(pods), asked=probes.readiness_of(templates))


@dataclass(frozen=True, kw_only=True)
class Meanwhile:
    """What was learnt while watching: `exits` of containers (`exits.seen`), and of the nodes.

    `nodes_may_return` as in `placement.Cluster`.
    """

    exits: Mapping[Key, Exit] = field(default_factory=dict)
    nodes_may_return: bool = True


NOTHING = Before()
NOTHING_YET = Meanwhile()


def causes(  # noqa: PLR0913 (each is another thing that was read)
    workload: Object,
    kind: Kind,
    stored: Object | None,
    pods: Iterable[Object],
    events: Iterable[Object] = (),
    *,
    now: datetime,
    others: Iterable[Object] = (),
    earlier: Before = NOTHING,
    meanwhile: Meanwhile = NOTHING_YET,
) -> tuple[Cause, ...]:
    """Return what keeps Pods of one revision from being ready, the root cause first.

    `stored` is the object of the history that holds it, `pods` are its Pods, `events` any events
    (others' are passed over), `now` the server's time, `others` the workload's Pods of other
    revisions, `meanwhile` what was learnt since. Final causes rank before suspected ones, causes
    nearer the start of a Pod's life before later ones.
    A Pod that was broken before our PATCH yields suspected causes only.
    """
    told, listed = in_order(events), list(pods)
    by_uid = events_by_uid(told, earlier.since)
    cluster = Cluster(claims=of_claims(told), nodes_may_return=meanwhile.nodes_may_return)
    own_events = by_uid.get(objects.uid(stored), ()) if stored is not None else ()
    found = list(of_creation(workload, kind, stored, listed, own_events, list(others)))
    found += of_ended(workload, kind, listed, earlier.broken, by_uid)
    for pod in listed:
        if objects.is_active(pod) and not objects.is_ready(pod):
            was_broken = objects.uid(pod) in earlier.broken
            one = _One(
                pod=pod,
                events=by_uid.get(objects.uid(pod), ()),
                cluster=cluster,
                now=now,
                exits=meanwhile.exits,
            )
            own = _of_pod(one, earlier)
            found.extend(replace(c, is_final=c.is_final and not was_broken) for c in own)
    return tuple(sorted(found, key=lambda c: (not c.is_final, RANK[c.code], c.subject)))


def hastened(causes: Iterable[Cause], earlier: Before) -> tuple[Cause, ...]:
    """Return the causes with all that are suspected made final, but of Pods broken before."""
    return tuple(replace(c, is_final=c.uid not in earlier.broken) for c in causes)


def unready(pods: Iterable[Object]) -> tuple[Cause, ...]:
    """Return what the Pods' own status tells where no event does; for when time is up.

    Before that, running and not ready yet is what every good Pod is for a while.
    """
    found: list[Cause] = []
    for pod in pods:
        started = _has_started(pod)
        for status, is_init in (
            () if not objects.is_active(pod) else objects.container_statuses(pod)
        ):
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


@dataclass(frozen=True, kw_only=True)
class _One:
    """A Pod that is not Ready, with all that is known about it."""

    pod: Object
    events: Sequence[Object]
    cluster: Cluster
    now: datetime
    exits: Mapping[Key, Exit]


def _of_pod(one: _One, earlier: Before) -> Iterator[Cause]:
    unscheduled = objects.condition(one.pod, "PodScheduled")
    if unscheduled is not None and unscheduled.get("status") == "False":
        yield unplaced(one.pod, unscheduled, one.events, one.cluster, one.now)
        return
    found: list[Cause] = []
    for status, is_init in objects.container_statuses(one.pod):
        key = (objects.uid(one.pod), str(status.get("name")))
        count = int(status.get("restartCount") or 0)
        known = count if _runs_well(status, one.now) else earlier.restarts.get(key, 0)
        ended = one.exits.get(key)
        same = count - max(known, ended.since if ended is not None else 0)
        found += of_container(
            one.pod, status, one.events, restarts=max(0, count - known), same=same, is_init=is_init
        )
    yield from found
    if not found:
        yield from _by_events(one, earlier)


def _runs_well(status: Object, now: datetime) -> bool:
    """Tell whether a container has run so long that its last exit is forgotten by the kubelet."""
    started = objects.timestamp(objects.dig(status, "state", "running", "startedAt"))
    return started is not None and now - started >= FORGOTTEN


def _by_events(one: _One, earlier: Before) -> Iterator[Cause]:
    """Yield what only events and conditions tell: volumes, probes, readiness gates.

    An event outlives its reason by an hour: a mount that failed counts only while nothing of the
    Pod has started. The newest event of a kind decides.
    """
    pod, events = one.pod, one.events
    newest = {str(e.get("reason")): str(e.get("message", "")) for e in events}
    mount = newest.get("FailedMount") or newest.get("FailedAttachVolume")
    ready = objects.condition(pod, "Ready") or {}
    if mount and not _has_started(pod):
        final = bool(_MISSING_OBJECT.search(mount))
        code = "CONFIG_MISSING" if final else "VOLUME"
        yield of_pod(code, pod, f"a volume cannot be mounted: {mount}", mount, is_final=final)
    elif (sandbox := newest.get("FailedCreatePodSandBox")) and not _has_started(pod):
        final = bool(_NO_RUNTIME.search(sandbox))
        yield of_pod(
            "SANDBOX", pod, f"its sandbox cannot be made: {sandbox}", sandbox, is_final=final
        )
    elif events and events[-1].get("reason") == "NodeNotReady":
        lost = str(events[-1].get("message", ""))
        yield of_pod("NODE_LOST", pod, f"its node {_node(pod)} does not answer", lost)
    elif newest.get("Unhealthy", "").startswith("Liveness") and _has_started(pod):
        text = newest["Unhealthy"]
        yield of_pod("PROBE_LIVENESS", pod, f"{_probe(pod, text)}: {text}", text)
    elif unready := list(of_unready(pod, events, earlier.others, one.now)):
        yield from unready
    elif ready.get("reason") == "ReadinessGatesNotReady":
        text = str(ready.get("message", ""))
        yield of_pod("READINESS_GATE", pod, f"a readiness gate is not met: {text}", text)


def _node(pod: Object) -> str:
    return str(objects.dig(pod, "spec", "nodeName", default=""))


def _has_started(pod: Object) -> bool:
    return any(
        objects.dig(s, "state", state) is not None
        for s, _ in objects.container_statuses(pod)
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
