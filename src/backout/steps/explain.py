"""Says what is wrong now, from one read; nothing is waited for and nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis import diagnosis, exits
from backout.core.diagnosis.diagnosis import Meanwhile
from backout.core.errors import BackoutError
from backout.core.history import revisions
from backout.core.kubernetes import objects, template
from backout.core.outcome import Outcome, Result
from backout.core.preflight.snapshot import Need
from backout.core.rollout.verdict import Progressing, judge
from backout.kube import paths
from backout.steps.reading.changed import tell_change
from backout.steps.reading.nodes import Nodes
from backout.steps.reading.read import look
from backout.steps.status import since_its_beginning, tell_where, told
from backout.steps.watching.follow import EVENTS
from backout.steps.watching.logs import tell_logs
from backout.steps.watching.tell import say_cause

if TYPE_CHECKING:
    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def explain(run: Run) -> Outcome:
    """Tell every cause that stands, the root cause first, and the verdict as it is now."""
    snapshot = await look(run)
    tell_where(run, snapshot)
    now = revisions.current(snapshot.revisions)
    pods = list(now.pods) if now is not None else []
    events, nodes = await _events(run), Nodes(run)
    causes = _causes(snapshot, pods, events, nodes)
    if await nodes.ask(causes):
        causes = _causes(snapshot, pods, events, nodes)
    for cause in causes:
        say_cause(run, cause)
    await tell_change(run, causes)
    await tell_logs(run, pods, causes)
    workload = snapshot.workload
    verdict = judge(
        workload,
        run.target.kind,
        wanted=template.digest(workload["spec"]["template"]),
        began=workload,
        pods=None if Need.PODS in snapshot.unreadable else pods,
        causes=causes,
    )
    if not isinstance(verdict, Progressing):
        return told(run, verdict)
    root = f"; {causes[0].subject}: {causes[0].message}" if causes else ""
    watch = f"watch it: backout status {run.target} -n {run.target.namespace}"
    return Outcome(
        result=Result.PROGRESSING,
        message=f"{run.target} is progressing: {verdict.message}{root}",
        verdict=type(verdict).__name__,
        remedy=causes[0].remedy if causes else watch,
    )


def _causes(
    snapshot: Snapshot, pods: list[Object], events: list[Object], nodes: Nodes
) -> tuple[Cause, ...]:
    now = revisions.current(snapshot.revisions)
    found = diagnosis.causes(
        snapshot.workload,
        snapshot.kind,
        now.stored if now is not None else None,
        pods,
        events,
        now=snapshot.now,
        others=[p for p in snapshot.pods if p not in pods],
        earlier=since_its_beginning(snapshot),
        meanwhile=Meanwhile(exits=exits.seen({}, pods), nodes_may_return=nodes.may_return),
    )
    return found or diagnosis.unready(p for p in pods if not objects.is_ready(p))


async def _events(run: Run) -> list[Object]:
    """Return the namespace's events; without the right to them it goes on and says so."""
    path = paths.events(run.target.namespace)
    try:
        return list((await run.client.list(path, field_selector=EVENTS)).items)
    except BackoutError as error:
        run.say("note", f"events cannot be read: {error.message}")
        return []
