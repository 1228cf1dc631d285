"""objects -> Progressing | Complete | Failed | Superseded | Unknown.

The workload's counters decide, never conditions: right after an undo the old rollout's
NewReplicaSetAvailable and ProgressDeadlineExceeded are still there for milliseconds, and a
deadline may never fire (docs/facts/controllers.md). For success its Pods must be Ready as
well: a busy controller counts one as available for seconds after it has died (seen: over the
end of a soak). Words are kubectl's where it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects, template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind, PodsSeen, Unmoving
    from backout.core.model import Object


class Progressing(Struct, frozen=True, kw_only=True):
    """On its way; `message` says what is awaited."""

    message: str


class Complete(Struct, frozen=True, kw_only=True):
    """All replicas run the wanted template and are available."""

    message: str


class Failed(Struct, frozen=True, kw_only=True):
    """It will not finish; `causes` are ranked, the root cause first.

    `also` is what is to be said after `message`, a sentence each.
    """

    message: str
    also: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()


class Superseded(Struct, frozen=True, kw_only=True):
    """Somebody has changed the workload since: this rollout is no longer the one wanted."""

    message: str


class Unknown(Struct, frozen=True, kw_only=True):
    """It could not be decided; `message` says why, and `also` in further sentences."""

    message: str
    also: tuple[str, ...] = ()
    remedy: str = ""
    causes: tuple[Cause, ...] = ()


Verdict = Progressing | Complete | Failed | Superseded | Unknown


def judge(
    workload: Object | None,
    kind: Kind,
    *,
    wanted: str,
    began: Object,
    seen: PodsSeen | None,
    causes: Sequence[Cause] = (),
) -> Verdict:
    """Return where the rollout stands.

    `workload` is the newest one seen (None: deleted), `wanted` the hash of the template that
    should run, `began` the workload as it was when this rollout began, `seen` its Pods told apart
    (None: they cannot be seen), `causes` what keeps those of that template from being ready.
    """
    if workload is None or objects.uid(workload) != objects.uid(began):
        return Superseded(message=f"the {kind.resource.name} has been deleted")
    if template.digest(workload["spec"]["template"]) != wanted:
        return Superseded(message=_by_whom(workload, began))
    if objects.observed_generation(workload) < max(
        objects.generation(began), objects.generation(workload)
    ):
        # Where it may make no ReplicaSet the controller observes nothing (measured, 1.34.4).
        if (seen is None or not seen.own) and _is_hopeless(workload, kind, (), causes):
            return Failed(message=causes[0].message, causes=tuple(causes))
        return Progressing(message=f"Waiting for {kind.spoken} spec update to be observed...")
    waiting = kind.waiting_for(workload, seen)
    if waiting is None:
        unready = _unready(workload, kind, seen)
        if unready is not None:
            return Progressing(message=unready)
        return Complete(message=kind.rolled_out(workload))
    still = kind.unmoving(workload)
    if still is not None and not _comes_by_itself(workload, still, seen):
        return Unknown(
            message=f"{still.why}: nothing rolls out until {still.until}", remedy=still.remedy
        )
    if _is_hopeless(workload, kind, seen.own if seen is not None else (), causes):
        return Failed(message=causes[0].message, causes=tuple(causes))
    return Progressing(message=waiting)


def stands_by(pods: Sequence[Object], others: Sequence[Object], before: int) -> bool:
    """Tell whether as many are Ready as `before`, where that was fewer than wanted by design.

    The others of the revision run and have never restarted: what is broken does not look so.
    """
    if not before:
        return False
    waiting = [p for p in pods if objects.is_active(p) and not objects.is_ready(p)]
    runs = all(
        objects.dig(s, "state", "running") is not None and not s.get("restartCount")
        for p in waiting
        for s in objects.dig(p, "status", "containerStatuses", default=[])
    )
    return runs and sum(map(objects.is_ready, [*pods, *others])) >= before


def _unready(workload: Object, kind: Kind, seen: PodsSeen | None) -> str | None:
    """Return what is awaited where the counters are complete and Pods are not Ready.

    Either may be the newer word: it is neither success nor failure until they agree.
    """
    if seen is None:
        return None
    wanted = kind.counters(workload).wanted - len(seen.lost)
    ready = sum(map(objects.is_ready, seen.own))
    start = f'Waiting for {kind.spoken} "{objects.name(workload)}" rollout to finish'
    return None if ready >= wanted else f"{start}: {ready} of {wanted} Pods are Ready..."


def _comes_by_itself(workload: Object, still: Unmoving, seen: PodsSeen | None) -> bool:
    """Tell whether what is replaced by hand is deleted already: the new Pods come by themselves."""
    if still.lift is not None or seen is None:
        return False
    uid = objects.uid(workload)
    return not any(objects.is_active(p) and objects.is_controlled_by(p, uid) for p in seen.others)


def _is_hopeless(
    workload: Object, kind: Kind, pods: Sequence[Object], causes: Sequence[Cause]
) -> bool:
    """Tell whether no Pod of the wanted revision can still become ready.

    Where they wait for each other, one that cannot is enough.
    """
    final = {c.uid for c in causes if c.is_final}
    if not final or kind.pace(workload).ordered:
        return bool(final)
    waiting = [p for p in pods if objects.is_active(p) and not objects.is_ready(p)]
    if waiting:
        return all(objects.uid(p) in final for p in waiting)
    # No Pod is waiting, and the counters are not complete: Pods that cannot be created.
    return objects.uid(workload) in final


def _by_whom(workload: Object, began: Object) -> str:
    """Return who last wrote the template, as managed fields tell (a hint: names are free text).

    Their times are whole seconds: who had written as much before is nobody's rival now.
    """
    before = {_written(entry) for entry in _writers(began)}
    since = [entry for entry in _writers(workload) if _written(entry) not in before]
    if not since:
        return "somebody else changed the Pod template"
    newest = max(since, key=lambda e: str(e.get("time", "")))
    return f"{newest.get('manager', 'somebody')} changed the Pod template at {newest.get('time')}"


def _writers(workload: Object) -> list[Object]:
    return [
        entry
        for entry in objects.dig(workload, "metadata", "managedFields", default=[])
        if "f:template" in objects.dig(entry, "fieldsV1", "f:spec", default={})
    ]


def _written(entry: Object) -> tuple[str, ...]:
    return tuple(str(entry.get(key)) for key in ("manager", "operation", "time"))
