"""Says what is wrong now, from one read; nothing is waited for and nothing changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis import diagnosis
from backout.core.diagnosis.diagnosis import Diagnosis, Meanwhile, Scene
from backout.core.diagnosis.groups import patience
from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.core.history import revisions
from backout.core.kubernetes import objects, template
from backout.core.outcome import Outcome, Result
from backout.core.preflight.snapshot import Need
from backout.core.rollout.verdict import Progressing, judge
from backout.core.rollout.view import counts
from backout.kube import paths
from backout.steps.concurrency import first_error, running
from backout.steps.reading.changed import tell_change
from backout.steps.reading.look import Unread, lease_of, look
from backout.steps.reading.nodes import Nodes, suspected
from backout.steps.reading.way_back import tell_way_back
from backout.steps.status import since_its_beginning, tell_seen, told
from backout.steps.watching.follow import EVENTS
from backout.steps.watching.logs import tell_logs
from backout.steps.watching.second_look import SecondLook
from backout.steps.watching.tell import Teller, worded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def explain(run: Run) -> Outcome:
    """Tell every cause that stands, the root cause first, and the verdict as it is now."""
    run.client.warm(1)  # for what the workload names: two lists
    with first_error():
        async with asyncio.TaskGroup() as group:
            events = group.create_task(_events(run))
            snapshot = await look(run)
    tell_seen(run, snapshot)
    scene = _scene(snapshot, events.result())
    nodes = Nodes(run)
    found = await _look(run, scene, nodes)
    scene = replace(scene, lost=nodes.lost(snapshot.pods))
    causes = found.causes
    if not causes and not _is_whole(scene):
        causes = diagnosis.pending(scene, found.meanwhile)
    workload = snapshot.workload
    teller = Teller(run)
    if Need.PODS not in snapshot.unreadable:
        teller.replicas(counts(scene.kind.counters(workload), scene.pods, scene.others))
    teller.causes(causes)
    verdict = judge(
        workload,
        run.target.kind,
        wanted=template.digest(workload["spec"]["template"]),
        began=workload,
        seen=None if Need.PODS in snapshot.unreadable else scene.seen,
        causes=causes,
    )
    if isinstance(verdict, Progressing):
        outcome = _progressing(run, verdict, causes)
    else:
        outcome = told(run, verdict)
    async with running(_with_ledger(run, snapshot, outcome)) as known:
        await tell_change(run, causes)
        await tell_logs(run, scene.pods, causes)
        await tell_way_back(run, outcome, await known)
    return outcome


async def _with_ledger(run: Run, snapshot: Snapshot, outcome: Outcome) -> Snapshot:
    """Return the snapshot with the Lease where the way back is told: it goes by the ledger."""
    if outcome.result is not Result.FAILED:
        return snapshot
    unread = Unread()
    lease = await lease_of(run.ledger, unread)
    return replace(snapshot, lease=lease, unreadable={**snapshot.unreadable, **unread.why})


def _progressing(run: Run, verdict: Progressing, causes: Sequence[Cause]) -> Outcome:
    watch = f"watch it: {run.policy.program} status {run.target} -n {run.target.namespace}"
    return Outcome(
        result=Result.PROGRESSING,
        message=f"{run.target} is progressing",
        also=(verdict.message, *map(worded, causes[:1])),
        verdict=type(verdict).__name__,
        remedy=causes[0].remedy if causes else watch,
    )


def _scene(snapshot: Snapshot, events: list[Object]) -> Scene:
    now = revisions.current(snapshot.revisions)
    pods = list(now.pods) if now is not None else []
    return Scene(
        workload=snapshot.workload,
        kind=snapshot.kind,
        stored=now.stored if now is not None else None,
        pods=pods,
        events=events,
        now=snapshot.now,
        others=objects.others(snapshot.pods, pods),
        earlier=since_its_beginning(snapshot),
    )


async def _look(run: Run, scene: Scene, nodes: Nodes) -> Diagnosis:
    """Return what is found, each cause that could be final looked at once more."""
    again, pods = SecondLook(run), [*scene.pods, *scene.others]
    known = Meanwhile(patience=patience(run.policy.patience))
    found = _diagnosed(scene, known, nodes, again)
    asked = nodes.ask(found.causes, suspected(scene.kind, pods))
    if any(await asyncio.gather(asked, again.take(found.due))):
        found = _diagnosed(scene, known, nodes, again)
    return found


def _diagnosed(scene: Scene, known: Meanwhile, nodes: Nodes, again: SecondLook) -> Diagnosis:
    known = replace(known, looked=again.found, nodes_may_return=nodes.may_return)
    return diagnosis.diagnose(scene, known, 0.0)


def _is_whole(scene: Scene) -> bool:
    """Tell whether all Pods that are wanted are there and Ready, and no old one is left."""
    ready = sum(map(objects.is_ready, scene.pods))
    return ready >= scene.kind.counters(scene.workload).wanted and not scene.others


async def _events(run: Run) -> list[Object]:
    """Return the namespace's events; without the right to them it goes on and says so."""
    path = paths.events(run.target.namespace)
    try:
        return list((await run.client.list(path, field_selector=EVENTS)).items)
    except BackoutError as error:
        run.say(Noted(message=f"events cannot be read: {error.message}"))
        return []
