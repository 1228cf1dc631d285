"""Asks others about the chosen target: registries, its Pods, and what surrounds it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.health import asking, endpoints
from backout.core.health.endpoints import NotAsked
from backout.core.health.judgement import Answer, Sample
from backout.core.kubernetes import objects
from backout.core.preflight.snapshot import Need, Snapshot
from backout.steps.asking.proxied import PodAsked
from backout.steps.asking.subjects import NotVerified, chosen
from backout.steps.concurrency import first_error
from backout.steps.preflight import images
from backout.steps.preflight.baseline import baseline
from backout.steps.preflight.consult import Consulted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.health.endpoints import Endpoint
    from backout.core.history.choice import Choice
    from backout.core.model import Object, Revision
    from backout.steps.preflight.readings import Readings
    from backout.steps.run import Run

WORST_FIRST = (Answer.UNWELL, Answer.UNKNOWN, Answer.WELL)


async def inquire(run: Run, snapshot: Snapshot, choice: Choice) -> Snapshot:
    """Return the snapshot with the registries' answers and samples of the target's running Pods.

    What can only warn gets no more than the preflight budget: nobody waits for a slow registry
    during an outage.
    """
    revision, origin = choice.revision, choice.unpinned or choice.revision
    found = endpoints.asked_of(revision.template, snapshot.workload, run.policy.paths)
    with first_error():
        async with asyncio.TaskGroup() as group:
            images_task = group.create_task(images.ask(run, snapshot, choice))
            health_task = group.create_task(_pod_health(run, origin, found))
            baseline_task = group.create_task(baseline(run, snapshot, revision))
            consulted = Consulted(run, snapshot, revision)
            group.create_task(consulted.ask())
    health = health_task.result()
    unreadable = {**snapshot.unreadable, **consulted.unreadable}
    unreadable |= images_task.result().unreadable
    if origin.pods and not endpoints.askable(found):
        unreadable[Need.POD_HEALTH] = next(e.why for e in found if isinstance(e, NotAsked))
    before = baseline_task.result()
    if before.hidden:
        unreadable[Need.BASELINE] = before.hidden
    read: Readings = {**images_task.result().fields, **consulted.fields}
    return replace(
        snapshot,
        pod_health=health,
        baseline=before.samples,
        unasked=await _unasked(run, snapshot, revision, before.samples)
        if run.policy.require_health
        else {},
        unreadable=unreadable,
        **read,
    )


async def _unasked(
    run: Run, snapshot: Snapshot, revision: Revision, before: Sequence[Sample]
) -> dict[str, str]:
    """Return what of the service's health is known to have no answer, and what to do about it.

    What may not be asked now may not be asked after the rollback.
    """
    asked = await chosen(run, snapshot, revision)
    told = {one.why: one.remedy for one in asked.unasked}
    told |= {f"{s.subject}: {s.detail}": "" for s in before if s.is_forbidden}
    none = NotVerified(why="nothing is named to ask")
    return told if told or asked.subjects else {none.why: none.remedy}


async def _pod_health(
    run: Run, revision: Revision, found: Sequence[Endpoint | NotAsked]
) -> tuple[Sample, ...]:
    """Return a sample for each Pod that is asked: its worst answer."""
    asked = endpoints.askable(found)
    if not asked:
        return ()

    async def ask(pod: Object) -> Sample:
        name = objects.name(pod)
        subjects = [PodAsked(run=run, pod=name, endpoint=one) for one in asked]
        samples = [await one.ask() for one in subjects]
        return min(samples, key=lambda s: (WORST_FIRST.index(s.answer), s.is_misasked))

    return tuple(await asyncio.gather(*(ask(p) for p in asking.chosen(revision.pods))))
