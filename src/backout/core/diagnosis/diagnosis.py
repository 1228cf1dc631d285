"""Pods, ReplicaSets, events -> ranked causes with evidence and a remedy.

Classes, signals and what may be called final when: docs/failures/ (a page a code).
Messages come verbatim from the kubelet and the controllers: they are untrusted text.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.diagnosis import exits, finality, peers
from backout.core.diagnosis.awaited import awaited
from backout.core.diagnosis.before import Before
from backout.core.diagnosis.causes import RANK, Cause, of_pod
from backout.core.diagnosis.containers import (
    Beside,
    config_error,
    last_exit,
    log_of,
    missing_object,
    of_container,
)
from backout.core.diagnosis.creation import of_creation
from backout.core.diagnosis.ended import of_ended
from backout.core.diagnosis.finality import Judging
from backout.core.diagnosis.groups import Found, Patience, Rule
from backout.core.diagnosis.kept import Kept
from backout.core.diagnosis.placement import Cluster, is_scaled_for, of_claims, unplaced
from backout.core.diagnosis.readiness import of_unready
from backout.core.diagnosis.stuck import of_stuck
from backout.core.kinds.kind import PodsSeen
from backout.core.kubernetes import events as told
from backout.core.kubernetes import objects
from backout.core.kubernetes.managed_fields import unwritten_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backout.core.diagnosis.exits import Exit
    from backout.core.diagnosis.finality import Key, Sight
    from backout.core.diagnosis.groups import Look
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

FORGOTTEN = timedelta(minutes=10)
"""After so long a run the kubelet's back-off begins again (twice its longest, pkg/kubelet)."""

_NO_RUNTIME = re.compile(r'no runtime for "[^"]*" is configured')


class Meanwhile(Struct, frozen=True, kw_only=True):
    """What was learnt while watching: `exits` of containers, `sights` of troubles, own `looked`.

    `nodes_may_return` as in `placement.Cluster`. `patience` is the user's. `kept` is what was found
    of each Pod that is not Ready, by UID; where nothing of it has changed it is good for so many
    seconds as `fresh` tells.
    """

    exits: Mapping[exits.Key, Exit] = field(default_factory=dict)
    sights: Mapping[Key, Sight] = field(default_factory=dict)
    looked: Mapping[Look, Found] = field(default_factory=dict)
    nodes_may_return: bool = True
    patience: Patience = field(default_factory=Patience)
    kept: Mapping[str, Kept] = field(default_factory=dict)
    fresh: float = 0.0


class Scene(Struct, frozen=True, kw_only=True):
    """What is looked at: one revision's Pods and all that is known around them.

    `stored` is the object of the history that holds it, `pods` are its Pods, `others` the
    workload's Pods of other revisions, `events` any events (others' are passed over), `now` is the
    server's time, `lost` are its nodes that do not answer.
    """

    workload: Object
    kind: Kind
    stored: Object | None
    pods: Sequence[Object]
    now: datetime
    events: Sequence[Object] = ()
    others: Sequence[Object] = ()
    earlier: Before = field(default_factory=Before)
    lost: frozenset[str] = frozenset()

    @property
    def seen(self) -> PodsSeen:
        """Its Pods, as its kind looks at them."""
        return PodsSeen(
            own=self.pods, others=self.others, stored=self.stored, now=self.now, lost=self.lost
        )


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What a look found: the causes, ranked, what is known after it, and what to look at now."""

    causes: tuple[Cause, ...]
    meanwhile: Meanwhile
    due: frozenset[Look]


def diagnose(scene: Scene, meanwhile: Meanwhile, at: float) -> Diagnosis:
    """Return what keeps Pods of one revision from being ready, the root cause first.

    `at` is monotonic seconds of ours. Final causes rank before suspected ones, causes nearer the
    start of a Pod's life before later ones.
    """
    known = replace(meanwhile, exits=exits.seen(meanwhile.exits, scene.pods))
    listed = told.in_order(scene.events)
    by_uid = told.by_uid(listed, scene.earlier.since)
    known = replace(known, kept=_of_pods(scene, known, _around(scene, known, listed), by_uid, at))
    found = [*_of_workload(scene, by_uid), *(c for k in known.kept.values() for c in k.causes)]
    known = replace(known, sights=finality.seen(known.sights, found, at))
    judging = Judging(
        at=at,
        sights=known.sights,
        looked=known.looked,
        patience=known.patience,
        around=peers.around(
            scene.pods,
            scene.others,
            scene.earlier.restarts,
            scene.now,
            standby=scene.earlier.standing > 0,
        ),
    )
    causes = finality.decided(found, judging)
    return Diagnosis(
        causes=tuple(sorted(causes, key=lambda c: (not c.is_final, RANK[c.code], c.subject))),
        meanwhile=known,
        due=frozenset(finality.due(causes, judging)),
    )


def pending(scene: Scene, meanwhile: Meanwhile) -> tuple[Cause, ...]:
    """Return what is awaited, where nothing is wrong at the moment: never nothing.

    A container that is up again has yet to show that it stays so: its last exit is told.
    """
    events = told.by_uid(told.in_order(scene.events), scene.earlier.since)
    ended: list[Cause] = []
    for pod in filter(objects.is_ready, scene.pods):
        one = _One(pod=pod, events=events.get(objects.uid(pod), ()), around=_Around(), scene=scene)
        for status, known in _containers(one, meanwhile):
            ended += last_exit(pod, status, known) if known.restarts else ()
    return (
        *ended,
        *awaited(scene.workload, scene.kind, scene.pods, scene.others, scene.events, scene.now),
    )


def _of_workload(scene: Scene, by_uid: Mapping[str, Sequence[Object]]) -> Iterator[Cause]:
    since = scene.earlier.since
    maker = scene.workload if scene.kind.makes_pods else scene.stored
    own = by_uid.get(objects.uid(maker), ()) if maker is not None else ()
    yield from of_stuck(scene.workload, scene.kind, scene.seen, since)
    yield from of_creation(
        scene.workload, scene.kind, scene.stored, scene.pods, own, scene.others, since
    )
    yield from of_ended(scene.workload, scene.pods, scene.earlier.over, by_uid)


class _Around(Struct, frozen=True, kw_only=True):
    """What is known beside a Pod. `is_proven`: the template has been Ready somewhere."""

    cluster: Cluster = field(default_factory=Cluster)
    looked: Mapping[Look, Found] = field(default_factory=dict)
    is_proven: bool = False


def _around(scene: Scene, meanwhile: Meanwhile, listed: Sequence[Object]) -> _Around:
    all_pods = (*scene.others, *scene.pods)
    cluster = Cluster(
        claims=of_claims(listed),
        nodes_may_return=meanwhile.nodes_may_return,
        terminating=next((f"Pod {objects.name(p)}" for p in all_pods if _terminates(p)), ""),
    )
    is_proven = scene.earlier.others.ran or any(map(objects.is_ready, scene.pods))
    return _Around(cluster=cluster, looked=meanwhile.looked, is_proven=is_proven)


def _of_pods(
    scene: Scene,
    meanwhile: Meanwhile,
    around: _Around,
    by_uid: Mapping[str, Sequence[Object]],
    at: float,
) -> dict[str, Kept]:
    """Return what is found of each Pod that is not Ready, by UID."""
    found: dict[str, Kept] = {}
    same: object = next((k.around for k in meanwhile.kept.values() if k.around == around), around)
    for pod in scene.pods:
        if not objects.is_active(pod) or objects.is_ready(pod):
            continue
        uid = objects.uid(pod)
        events, known = by_uid.get(uid, ()), meanwhile.kept.get(uid)
        is_fresh = known is not None and at - known.at < meanwhile.fresh
        if known is None or not is_fresh or not known.holds(pod, events, same):
            one = _One(pod=pod, events=events, around=around, scene=scene)
            causes = tuple(_of_pod(one, meanwhile))
            known = Kept(pod=pod, events=events, around=same, at=at, causes=causes)
        found[uid] = known
    return found


def _terminates(pod: Object) -> bool:
    return bool(objects.dig(pod, "metadata", "deletionTimestamp"))


class _One(Struct, frozen=True, kw_only=True):
    """A Pod that is not Ready, with all that is known about it."""

    pod: Object
    events: Sequence[Object]
    around: _Around
    scene: Scene

    @property
    def unchanged(self) -> timedelta:
        """How long its status has not been written, within the server's clock."""
        return unwritten_for(self.pod, self.scene.now, self.scene.earlier.since)


def _of_pod(one: _One, meanwhile: Meanwhile) -> Iterator[Cause]:
    unscheduled = objects.condition(one.pod, "PodScheduled")
    if unscheduled is not None and unscheduled.get("status") == "False":
        failed = [e for e in one.events if e.get("reason") == "FailedScheduling"]
        lasted = max(one.unchanged, told.told_for(failed, one.scene.earlier.since))
        yield unplaced(one.pod, unscheduled, one.events, one.around.cluster, lasted)
        return
    found: list[Cause] = []
    for status, known in _containers(one, meanwhile):
        found += of_container(one.pod, status, known)
    yield from found
    if not found:
        yield from _by_events(one)


def _containers(one: _One, meanwhile: Meanwhile) -> Iterator[tuple[Object, Beside]]:
    always = {str(c.get("name")) for c in objects.serving_containers(one.pod)}
    for status, is_init in objects.container_statuses(one.pod):
        is_first = is_init and str(status.get("name")) not in always
        yield status, _known_of(one, status, meanwhile, is_init=is_first)


def _known_of(one: _One, status: Object, meanwhile: Meanwhile, *, is_init: bool) -> Beside:
    earlier, key = one.scene.earlier, (objects.uid(one.pod), str(status.get("name")))
    count = int(status.get("restartCount") or 0)
    known = count if _runs_well(status, one.scene.now) else earlier.restarts.get(key, 0)
    restarts, ended = max(0, count - known), meanwhile.exits.get(key)
    was_broken = objects.uid(one.pod) in earlier.broken
    # Who failed before our PATCH and again since, in the same way, needs no new count.
    counted_from = 0 if was_broken and restarts else known
    same = count - max(counted_from, ended.since if ended is not None else 0)
    if objects.dig(status, "state", "running") is not None:
        same -= 1  # the run that is under way has not ended: it may be the one that lasts
    return Beside(
        events=one.events,
        restarts=restarts,
        same=same,
        unchanged=one.unchanged,
        since=earlier.since,
        known_secrets=earlier.others.secrets,
        is_init=is_init,
        is_proven=one.around.is_proven,
        cannot_run=one.around.looked.get(log_of(one.pod, key[1])) is Found.CONFIRMED,
    )


def _runs_well(status: Object, now: datetime) -> bool:
    """Tell whether a container has run so long that its last exit is forgotten by the kubelet."""
    started = objects.timestamp(objects.dig(status, "state", "running", "startedAt"))
    return started is not None and now - started >= FORGOTTEN


def _by_events(one: _One) -> Iterator[Cause]:
    """Yield what only events and conditions tell: volumes, probes, readiness gates.

    An event outlives its reason by an hour: a mount that failed counts only while nothing of the
    Pod has started. The newest event of a kind decides.
    """
    pod, events = one.pod, one.events
    newest = {str(e.get("reason")): str(e.get("message", "")) for e in events}
    mount = newest.get("FailedMount") or newest.get("FailedAttachVolume")
    ready = objects.condition(pod, "Ready") or {}
    if mount and not _has_started(pod):
        yield _of_mount(one, mount)
    elif (sandbox := newest.get("FailedCreatePodSandBox")) and not _has_started(pod):
        failed = [e for e in events if e.get("reason") == "FailedCreatePodSandBox"]
        yield of_pod(
            "SANDBOX",
            pod,
            f"its sandbox cannot be made: {sandbox}",
            sandbox,
            rule=Rule.PATIENCE if _NO_RUNTIME.search(sandbox) else Rule.DEADLINE,
            told_for=told.told_for(failed, one.scene.earlier.since),
            is_new=is_scaled_for(events),
            unless="the node gets such a runtime",
        )
    elif events and events[-1].get("reason") == "NodeNotReady":
        lost = str(events[-1].get("message", ""))
        yield of_pod("NODE_LOST", pod, f"its node {_node(pod)} does not answer", lost)
    elif newest.get("Unhealthy", "").startswith("Liveness") and _has_started(pod):
        text = newest["Unhealthy"]
        yield of_pod("PROBE_LIVENESS", pod, f"a probe that restarts it fails: {text}", text)
    elif unready := list(of_unready(pod, events, one.scene.earlier.others, one.unchanged)):
        yield from unready
    elif ready.get("reason") == "ReadinessGatesNotReady":
        text = str(ready.get("message", ""))
        yield of_pod("READINESS_GATE", pod, f"a readiness gate is not met: {text}", text)


def _of_mount(one: _One, text: str) -> Cause:
    """Return why a volume cannot be mounted: an object that is missing, or the volume itself."""
    if (
        missing_object(text) is None
        and "references non-existent" not in text
        and ("not registered" not in text)
    ):
        return of_pod("VOLUME", one.pod, f"a volume cannot be mounted: {text}", text)
    known = Beside(
        events=one.events,
        unchanged=one.unchanged,
        since=one.scene.earlier.since,
        known_secrets=one.scene.earlier.others.secrets,
    )
    found = config_error(one.pod, "a volume that cannot be mounted", text, text, known)
    return found if found.code == "CONFIG_MISSING" else _lacking_key(one, text)


def _lacking_key(one: _One, text: str) -> Cause:
    failed = [e for e in one.events if "references non-existent" in str(e.get("message", ""))]
    return of_pod(
        "CONFIG_MISSING",
        one.pod,
        f"a volume cannot be mounted: {text}",
        text,
        about="key",
        told_for=max(one.unchanged, told.told_for(failed, one.scene.earlier.since)),
        unless="the key appears",
    )


def _node(pod: Object) -> str:
    return str(objects.dig(pod, "spec", "nodeName", default=""))


def _has_started(pod: Object) -> bool:
    return any(
        objects.dig(s, "state", state) is not None
        for s, _ in objects.container_statuses(pod)
        for state in ("running", "terminated")
    )
