"""Why Pods, or the ReplicaSet that is to make them, cannot be created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import of_workload
from backout.core.diagnosis.refusals import refusal
from backout.core.kubernetes import events as told
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object


def of_creation(
    workload: Object,
    kind: Kind,
    stored: Object | None,
    own: Sequence[Object],
    events: Sequence[Object],
    others: Sequence[Object],
    since: datetime | None = None,
) -> Iterator[Cause]:
    """Yield why Pods cannot be created: ReplicaFailure, worded by events of what makes them.

    `stored` is the revision in the history, `own` are its Pods, `others` the workload's of other
    revisions, which may be what fills a quota. Where it could not be made the workload's own
    condition tells. A workload that makes its Pods itself has only its events.
    """
    if kind.makes_pods:
        yield from _of_own_pods(workload, kind, own, events, others, since)
        return
    if stored is None:
        yield from _of_history(workload, kind, own, others)
        return
    failure = objects.condition(stored, "ReplicaFailure")
    if failure is None or failure.get("status") != "True":
        return
    refused = [e for e in events if e.get("reason") == "FailedCreate"]
    newest = str(refused[-1].get("message", "")) if refused else ""
    # The condition keeps its first message while the reason is the same (kubernetes#127081).
    text = newest.removeprefix("Error creating: ") or str(failure.get("message", ""))
    about = refusal(text).about
    same = [e for e in refused if refusal(str(e.get("message", ""))).about == about]
    subject = f"{kind.stored.name} {objects.name(stored)}"
    last = told.last_seen(same[-1]) if same else None
    yield _refused(
        workload,
        subject,
        f"the API server refuses its Pods: {text}",
        text,
        awaits=_frees(workload, kind, own, others),
        told_for=told.told_for(same, since),
        answer=str(last),
    )


def _of_own_pods(
    workload: Object,
    kind: Kind,
    own: Sequence[Object],
    events: Sequence[Object],
    others: Sequence[Object],
    since: datetime | None,
) -> Iterator[Cause]:
    """Yield why a Pod is missing: the newest event, which says nothing once all are there."""
    refused = [e for e in events if e.get("reason") == "FailedCreate"]
    there = sum(objects.is_controlled_by(p, objects.uid(workload)) for p in [*own, *others])
    if not refused or there >= kind.pace(workload).replicas:
        return
    newest = str(refused[-1].get("message", "")).removeprefix("Error creating: ")
    text = newest.rpartition(" failed error: ")[2]
    about = refusal(text).about
    same = [e for e in refused if refusal(str(e.get("message", ""))).about == about]
    yield _refused(
        workload,
        f"{kind.resource.name} {objects.name(workload)}",
        f"the API server refuses its Pods: {text}",
        text,
        evidence=f"FailedCreate: {text}",
        awaits=_frees(workload, kind, own, others),
        told_for=told.told_for(same, since),
        answer=str(told.last_seen(refused[-1])),
    )


def _of_history(
    workload: Object, kind: Kind, own: Sequence[Object], others: Sequence[Object]
) -> Iterator[Cause]:
    """Yield why there is no such revision: the workload's own words."""
    for which, bad in (("Progressing", "False"), ("ReplicaFailure", "True")):
        failure = objects.condition(workload, which) or {}
        reason, text = str(failure.get("reason", "")), str(failure.get("message", ""))
        if failure.get("status") == bad and reason in {
            f"{kind.stored.name}CreateError",
            "FailedCreate",
        }:
            subject = f"{kind.resource.name} {objects.name(workload)}"
            yield _refused(
                workload,
                subject,
                f"the API server refuses its {kind.stored.name}: {text}",
                text,
                evidence=f"{which}: {reason}: {text}",
                awaits=_frees(workload, kind, own, others),
                answer=str(failure.get("lastUpdateTime")),
            )
            return


def _refused(
    workload: Object,
    subject: str,
    words: str,
    text: str,
    *,
    awaits: str,
    evidence: str = "",
    **ground: object,
) -> Cause:
    found = refusal(text)
    is_full = found.code == "QUOTA" and not found.awaits
    return of_workload(
        found.code,
        workload,
        subject,
        words,
        evidence or f"ReplicaFailure: {text}",
        rule=found.rule,
        about=found.about,
        look=found.look,
        awaits=found.awaits or (awaits if is_full else ""),
        unless="it appears" if found.look is not None else "room is made",
        **ground,
    )


def _frees(workload: Object, kind: Kind, own: Sequence[Object], others: Sequence[Object]) -> str:
    """Return what of a quota the rollout itself will free, or has freed; empty where nothing.

    The controller deletes old Pods that are not ready, and ready ones down to what must stay
    available (pkg/controller/deployment, reconcileOldReplicaSets). What it has deleted is free, and
    the ReplicaSet's next attempt is seconds or minutes away: its failure is of the one before.
    Where it could make a Pod already, the quota is one that moves.
    """
    if own:
        return "a Pod could be made already: the quota is one that moves"
    if any(objects.dig(p, "metadata", "deletionTimestamp") for p in others):
        return "a Pod of this workload still terminates"
    if any(not objects.is_ready(p) for p in others):
        return "an old Pod that is not Ready will go"
    pace = kind.pace(workload)
    gives_none = pace.unavailable == 0 and kind.counters(workload).available <= pace.replicas
    return "" if not others or gives_none else "an old Pod may go"
