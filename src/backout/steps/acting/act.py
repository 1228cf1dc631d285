"""The act: one JSON PATCH with preconditions, never resent.

Steps 3 to 5 of docs/decisions/0003-ledger.md.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backout.core.errors import BackoutError, Conflict
from backout.core.events.acting import PatchLanded, Triggered
from backout.core.events.told import Noted
from backout.core.kubernetes import objects, template
from backout.core.ledger import records
from backout.core.ledger.records import State
from backout.core.ledger.stage import (
    Act,
    Answered,
    Applied,
    Holding,
    MayHaveSent,
    NotApplied,
    Stage,
    Stale,
    Undecided,
)
from backout.kube import paths
from backout.kube.errors import Unclear
from backout.steps import notify
from backout.steps.concurrency import unbroken
from backout.steps.ledger.lease import Held, LockLost, see
from backout.steps.ledger.settle import settle
from backout.steps.preflight.patch import made

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object, Patch
    from backout.core.plan.plan import Plan
    from backout.steps.run import Run

ATTEMPTS = 5
Reach = Callable[[Stage], None]
_JITTER = random.SystemRandom()


class Announcer:
    """Says that a rollback begins, once for each revision: a plan made again is the same one."""

    def __init__(self) -> None:
        self._announced: set[str] = set()

    def announce(self, run: Run, plan: Plan) -> None:
        """Say it in the words that scripts rely on; the journal has it on disk first."""
        there = plan.preflight.destination
        if there.hash in self._announced:
            return
        self._announced.add(there.hash)
        number = there.number
        words = f"rollback triggered for {run.target} to revision={number}, traceID={run.trace_id}"
        run.say(Triggered(message=words, revision=number))
        notify.begin(run, number, words)


async def act(
    run: Run, plan: Plan, held: Held, reach: Reach, *, announcer: Announcer, deadline: float
) -> Act:
    """Announce, then patch; return what is certain about it, and `reach` each stage on the way.

    The first attempt follows the intent at once: the compare-and-swap that wrote it was made after
    the plan's workload was read, so it was the check of the ledger. A 409 means that nothing was
    written: where only the status moved, the workload is read and the ledger checked again before
    the next attempt. `deadline` (event-loop time) bounds finding out what an unclear answer meant.
    Raises LockLost where the lock is not ours.
    """
    workload = plan.preflight.snapshot.workload
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(_JITTER.uniform(0, 0.05 * 2**attempt))
            workload = await run.client.get(paths.workload(run.target))
            stale = difference(run.target.kind, plan.preflight.snapshot.workload, workload)
            if stale:
                return Stale(why=stale)
            await _still_ours(run, held)
        held.check_fresh(run)
        announcer.announce(run, plan)
        sent_at = asyncio.get_running_loop().time()
        found = await _send(run, made(run, plan.preflight.destination, workload), reach)
        if isinstance(found, Unclear):
            found = await _found_out(run, held, found, deadline)
        if found is not None:
            reach(Answered(act=found))
            _note_answer(run, found, since=sent_at)
            return found
    return NotApplied(
        error=BackoutError(
            f"the workload changed under each of {ATTEMPTS} attempts",
            remedy="see who else writes it: kubectl get -o yaml --show-managed-fields",
        )
    )


def difference(kind: Kind, planned: Object, now: Object) -> str:
    """Return what has changed since the plan in a way that matters; empty where nothing has."""
    if objects.uid(planned) != objects.uid(now):
        return f"the {kind.resource.name} was deleted and created again"
    if not template.same(planned["spec"]["template"], now["spec"]["template"]):
        return "its Pod template has changed"
    for key in kind.watched_fields:
        if planned["spec"].get(key) != now["spec"].get(key):
            return f"its spec.{key} has changed"
    deleted = ("metadata", "deletionTimestamp")
    if objects.dig(planned, *deleted) != objects.dig(now, *deleted):
        return "it is being deleted"
    if objects.generation(planned) != objects.generation(now):
        return "its spec has changed"
    return ""


def _note_answer(run: Run, found: Act, *, since: float) -> None:
    """Note for the journal when the PATCH landed, which an unclear answer tells later."""
    if isinstance(found, Applied):
        milliseconds = round((asyncio.get_running_loop().time() - since) * 1000, 1)
        run.say(
            PatchLanded(message="the API server has taken the PATCH", milliseconds=milliseconds)
        )


async def _still_ours(run: Run, held: Held) -> None:
    seen = await see(run)
    held.check(run, seen)
    record = records.by_op(seen.ledger, run.op)
    if record is None or record.state is not State.INTENT:
        raise LockLost("the record of this run was closed by somebody else")


async def _send(run: Run, made_patch: Patch, reach: Reach) -> Act | Unclear | None:
    """Send the PATCH once; return None for a 409. An interruption waits for its answer."""
    path = paths.workload(run.target)
    reach(MayHaveSent())
    request = asyncio.ensure_future(run.client.patch_json(path, made_patch.ops))
    try:
        answer = await unbroken(request, patience=run.limits.wind_down / 2)
    except asyncio.CancelledError:
        reach(Answered(act=_after_interruption(request)))
        raise
    except Conflict:
        reach(Holding())
        return None
    except Unclear as error:
        return error
    except BackoutError as error:
        return NotApplied(error=error)
    return Applied(workload=answer.object)


def _after_interruption(request: asyncio.Future[Any]) -> Act:
    """Return what is known of a PATCH that an interruption waited for."""
    if request.cancelled():
        return Undecided(why="interrupted while the PATCH was under way", may_settle=True)
    error = request.exception()
    if error is None:
        return Applied(workload=request.result().object)
    if isinstance(error, BackoutError) and not isinstance(error, Unclear):
        return NotApplied(error=error)
    return Undecided(why=str(error), may_settle=True)


async def _found_out(run: Run, held: Held, unclear: Unclear, deadline: float) -> Act:
    """Never resend: fence and read until the marker decides, or say that it cannot be told.

    Whatever the API server says meanwhile is an answer about this question, not about the PATCH.
    """
    run.say(
        Noted(message=f"no clear answer to the PATCH ({unclear.cause}); finding out what it did")
    )
    clock = asyncio.get_running_loop().time
    until = max(clock() + run.limits.unclear_least, min(deadline, clock() + run.limits.unclear))
    last: BackoutError = unclear
    try:
        async with asyncio.timeout_at(until):
            while True:
                try:
                    return _settled(await _state(run, held), unclear)
                except LockLost:
                    raise
                except BackoutError as error:
                    last = error
                await asyncio.sleep(1)
    except TimeoutError:
        return Undecided(why=last.message, may_settle=True)
    except LockLost as error:
        return Undecided(why=error.message, may_settle=True)


async def _state(run: Run, held: Held) -> State:
    seen = await see(run)
    held.check(run, seen)
    record = records.by_op(seen.ledger, run.op)
    if record is None:
        raise LockLost("the record of this run is gone from the ledger")
    return (await settle(run, record)).state


def _settled(state: State, unclear: Unclear) -> Act:
    match state:
        case State.APPLIED:
            return Applied(workload=None)
        case State.NOT_APPLIED:
            words = f"the PATCH got no clear answer ({unclear.cause}), and it did not land"
            return NotApplied(error=BackoutError(words, remedy="run the same command again"))
        case _:
            why = "somebody else changed the workload at the same time"
            return Undecided(why=why, may_settle=False)
