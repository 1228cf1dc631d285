"""One rollback after its plan is agreed: lock, act, watch, verify, close. The record never lies."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from backout.core.checks.breaker import UNDER_WAY
from backout.core.diagnosis.before import before, progress_deadline
from backout.core.diagnosis.groups import patience
from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.core.events.watching import NextStep
from backout.core.kubernetes import template
from backout.core.ledger import once, records
from backout.core.ledger.edits import applied, both, closed, not_to_heal, stored, unchanged
from backout.core.ledger.records import State
from backout.core.ledger.stage import (
    Answered,
    Applied,
    CutShort,
    Healed,
    Holding,
    Judged,
    MayHold,
    NotApplied,
    Planned,
    Stage,
    Stale,
    Stopped,
    Undecided,
    Why,
    Words,
    ended,
)
from backout.core.outcome import Outcome, Result
from backout.core.owners import owners
from backout.core.owners.owners import OWNERS_TURN
from backout.core.plan.plan import Refusal, next_candidate, way_on
from backout.core.references import references
from backout.kube import paths
from backout.steps import notify
from backout.steps.acting.act import Announcer, act
from backout.steps.acting.conclude import conclude, not_recorded, resume_line
from backout.steps.acting.hand_over import hand_over
from backout.steps.acting.heal import Ours, edit_of, hand_back
from backout.steps.acting.publish import publish
from backout.steps.acting.replace import StuckPods
from backout.steps.concurrency import beside, race, running
from backout.steps.ledger.closing import Closing
from backout.steps.ledger.keep import kept
from backout.steps.ledger.lease import Held, see
from backout.steps.ledger.lock import Outdated, take
from backout.steps.preflight.prepare import tell_aim, tell_refusal
from backout.steps.preflight.surroundings import surroundings
from backout.steps.reading.way_back import as_it_is_now
from backout.steps.rehearsing.trial import sweep
from backout.steps.watching.soak import settled
from backout.steps.watching.watch import Watch, Watched, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from backout.core.diagnosis.diagnosis import Scene
    from backout.core.ledger.edits import Edit
    from backout.core.ledger.records import Record
    from backout.core.model import Finding, Object
    from backout.core.plan.plan import Plan
    from backout.steps.ledger.lease import Silent
    from backout.steps.run import Run
    from backout.steps.watching.soak import Ending

T = TypeVar("T")
OBSERVED = 2.0
"""Seconds for which the second write waits for the controller, and for the Lease's write."""


class Again(Struct, frozen=True, kw_only=True):
    """Nothing was sent, and the plan no longer holds; `why` is said before the next is made."""

    why: str


class Rollback:
    """Carries one plan out.

    `since` is the event loop's time at which its preparation began: the time-out is of the whole.
    """

    def __init__(
        self, run: Run, plan: Plan, *, since: float, announcer: Announcer | None = None
    ) -> None:
        self._run = run
        self._plan = plan
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._deadline = since + total_seconds(run, plan.preflight.snapshot.workload)
        self._until = until(run, since)
        there, named = plan.preflight.destination, plan.preflight.snapshot.named
        self._closing = Closing(run, references.versions(there.template, named))
        self._announcer = announcer or Announcer()
        healing = plan.preflight.healing
        self._owners, self._is_kept = healing.owners, healing.is_kept
        self._stage: Stage = Planned()
        self._left: Record | None = None

    async def carry_out(self, *, silent: Silent | None = None) -> Outcome | Again:
        """Return the outcome, or that a new plan is needed before anything is sent.

        An interruption or an error closes the record or leaves it to be resumed, releases the
        lock, and is told truly. For `silent` see `may_take`.
        """
        return await self._told(self._steps(silent))

    async def go_on(self, held: Held, workload: Object, record: Record) -> Outcome:
        """Watch, verify and close a rollback whose PATCH landed before; the lock is ours.

        `workload` is as just read, `record` the rollback's.
        """
        self._closing.held = held
        self._left = record
        self._owners, self._is_kept = record.owners, True
        self._reach(Answered(act=Applied(workload=workload)))
        return await self._told(self._rest(held, Applied(workload=workload)))

    def _reach(self, stage: Stage) -> None:
        self._stage = stage

    async def _told(self, steps: Coroutine[Any, Any, T]) -> T | Outcome:
        """Return how it ended, whatever ends it."""
        try:
            return await steps
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return await self._ended(CutShort())
        except BackoutError as error:
            return await self._ended(Stopped(error=error))
        except Exception as error:  # noqa: BLE001 (a defect of ours must not leave a false record)
            return await self._ended(Stopped(error=_internal(error)))

    async def _ended(self, why: Why) -> Outcome:
        """Write what the record becomes, let the lock go, and return the last word."""
        target, number = str(self._run.target), self._plan.preflight.destination.number
        words = Words(target=target, revision=number, resume=resume_line(self._run))
        end = ended(self._stage, why, words)
        outcome = end.outcome
        if end.edit is not None:
            outcome = await self._written(end.edit, outcome)
        if isinstance(self._stage, Judged) and isinstance(why, Stopped):
            self._run.say(Noted(message=why.error.message))
        return outcome

    async def _written(self, edit: Edit, outcome: Outcome) -> Outcome:
        """Close the record, and tell the user's URL beside it; return how it ends then."""
        async with running(notify.end(self._run, outcome)) as telling:
            is_written = await self._closing.close(edit)
            await telling
        return outcome if is_written else not_recorded(outcome)

    async def _steps(self, silent: Silent | None) -> Outcome | Again:
        async with surroundings(self._run), beside(sweep(self._run)):
            held = await self._lock(silent)
            if not isinstance(held, Held):
                return held
            return await self._acted(held)

    async def _acted(self, held: Held) -> Outcome | Again:
        async with kept(self._run, held):
            done = await act(
                self._run,
                self._plan,
                held,
                self._reach,
                announcer=self._announcer,
                deadline=self._deadline,
            )
            match done:
                case Applied():
                    await self._watched(held, done)
                case NotApplied(error=error):
                    raise error
                case Undecided(why=why):
                    raise BackoutError(why)
                case Stale():
                    pass
        if isinstance(done, Stale):
            await self._closing.close(closed(State.NOT_APPLIED, verdict=done.why))
            return Again(why=f"the plan went stale: {done.why}")
        return await self._closed()

    async def _rest(self, held: Held, done: Applied) -> Outcome:
        async with kept(self._run, held):
            await self._watched(held, done)
        return await self._closed()

    async def _lock(self, silent: Silent | None) -> Held | Outcome | Again:
        self._reach(MayHold())
        left = timedelta(seconds=self._deadline - self._clock())
        try:
            async with asyncio.timeout_at(self._deadline):
                taken = await take(self._run, self._plan, deadline=left, silent=silent)
        except TimeoutError:
            raise BackoutError("time was up before the lock was taken") from None
        if isinstance(taken, Held):
            self._closing.held = taken
            self._reach(Holding())
            return taken
        self._reach(Planned())
        if isinstance(taken, Outdated):
            return Again(why=taken.why)
        if self._run.limits.wait_lock and {f.id for f in taken} == {UNDER_WAY.id}:
            return Again(why=taken[0].message)
        return refusal_outcome(self._run, _refusal(self._run, self._plan, taken))

    async def _watched(self, held: Held, done: Applied) -> None:
        """Watch and verify what our PATCH began; the stage is Judged then."""
        workload, wanted = await self._made(held, done)
        edit = stored(workload if wanted else None)
        async with (
            running(self._closing.note(edit)) as noting,
            self._watch(workload, wanted) as watch,
            running(self._healed(held, watch, wanted, noting)) as healing,
        ):
            ending = await self._ending(watch)
            await noting
            heals = await healing
        outcome, edit = conclude(self._run, self._plan, ending, self._clock() - self._began)
        self._workload = workload
        self._reach(Judged(outcome=outcome, edit=both(heals, edit)))

    async def _healed(
        self, held: Held, watch: Watch, wanted: str, noting: asyncio.Task[bool]
    ) -> Edit:
        """Hand the template's fields back; return what the record becomes by that.

        The controller writes the workload once it has seen our change: a second write before that
        meets a 409. The Lease's write tells whether the lock is still ours.
        """
        if not self._owners:
            return unchanged
        if not wanted:
            return not_to_heal
        ours = Ours(op=held.record, hash=wanted, owners=self._owners, is_kept=self._is_kept)
        observed = await watch.observed(within=OBSERVED)
        await race(noting, within=OBSERVED)
        edit = edit_of(await hand_back(self._run, held, ours, observed))
        self._reach(Healed(workload=watch.began, edit=edit))
        return edit

    async def _made(self, held: Held, done: Applied) -> tuple[Object, str]:
        """Return the workload after our PATCH, and its template's hash: the API server's, not ours.

        A mutating webhook may have changed what we sent. Where the answer was lost, it is read;
        empty where it is somebody else's by then.
        """
        if done.workload is not None:
            return done.workload, template.digest(done.workload["spec"]["template"])
        workload = await self._run.client.get(paths.workload(self._run.target))
        record = records.by_op((await see(self._run)).ledger, held.record)
        is_ours = record is not None and once.leads_to(record, workload, self._run.target.kind)
        if is_ours:
            self._reach(Answered(act=Applied(workload=workload)))
        return workload, template.digest(workload["spec"]["template"]) if is_ours else ""

    async def _closed(self) -> Outcome:
        """Close the record, emit the Event and tell whoever is told: none waits for another."""
        judged = self._stage
        if not isinstance(judged, Judged):
            raise TypeError("only what was judged is closed")
        outcome = judged.outcome
        async with (
            running(publish(self._run, self._workload, outcome)) as telling,
            running(self._tell_next(judged)) as looking,
        ):
            outcome = await self._written(judged.edit, outcome)
            await telling
            await looking
        return outcome

    async def _tell_next(self, judged: Judged) -> None:
        """Say where to go after a failure, from how it is now: whose Pods are Ready has changed."""
        if judged.outcome.result is not Result.FAILED or judged.edit is applied:
            return
        now = await as_it_is_now(self._run)
        if now is not None:
            self._run.say(NextStep(message=next_candidate(self._plan.preflight, now)))

    async def _ending(self, watch: Watch) -> Ending:
        return await settled(
            self._run, watch, self._plan.preflight, deadline=self._until, hold=self._hold()
        )

    def _watch(self, workload: Object, wanted: str) -> Watch:
        preflight = self._plan.preflight
        templates = [r.template for r in preflight.revisions if r.hash != wanted]
        watched = Watched(
            workload=workload,
            wanted=wanted or preflight.destination.hash,
            earlier=before(
                preflight.snapshot.pods,
                preflight.snapshot.now,
                templates,
                deadline=progress_deadline(workload, self._run.target.kind),
                ran=preflight.choice.proven,
            ),
            fail_fast=self._run.policy.fail_fast,
            patience=patience(self._run.policy.patience),
            replace=self._replace(workload, wanted),
        )
        return Watch(self._run, watched, deadline=self._until)

    def _replace(self, workload: Object, wanted: str) -> Callable[[Scene], Awaitable[bool]] | None:
        """Return what deletes Pods that hold the rollback up, where that was asked for."""
        left = self._left
        is_asked = self._run.policy.replace_stuck_pods or (left is not None and left.replaces)
        if not is_asked or not wanted:
            return None
        before = left.replaced if left is not None else {}
        return StuckPods(self._run, self._closing, workload, wanted, before).replace

    def _hold(self) -> float:
        """Return for how long an owner is waited for that may put the template back."""
        rivals = owners.may_revert(self._plan.preflight.snapshot.owners)
        if not rivals:
            return 0.0
        names = ", ".join(f"{o.tool} ({o.name})" for o in rivals)
        self._run.say(
            Noted(message=f"watching for {OWNERS_TURN:g} s at least whether {names} puts it back")
        )
        return OWNERS_TURN


def total_seconds(run: Run, workload: Object) -> float:
    """Return how long locking and acting may take.

    That is the user's word for the whole, else one step of progress and the health request. What is
    watched has no limit but the user's.
    """
    if run.limits.total is not None:
        return run.limits.total
    deadline = progress_deadline(workload, run.target.kind)
    return deadline + run.limits.health + run.policy.rehearse


def refused(run: Run, refusal: Refusal) -> Outcome:
    """Tell where it would have gone and why it does not, and return the outcome."""
    tell_aim(run, refusal)
    return refusal_outcome(run, refusal)


def refusal_outcome(run: Run, refusal: Refusal) -> Outcome:
    """Tell what refuses and return the outcome, whose remedy is the line that goes on anyway."""
    tell_refusal(run, refusal)
    hand_over(run, refusal)
    if refusal.outage:
        run.say(Noted(message=refusal.outage))
    ids = ", ".join(b.id for b in refusal.blocks)
    return Outcome(
        result=Result.REFUSED,
        message=f"Not rolled back ({ids}). Nothing was changed.",
        remedy=f"to roll back anyway: {refusal.way_on}" if refusal.way_on else "",
    )


def _refusal(run: Run, plan: Plan, blocks: tuple[Finding, ...]) -> Refusal:
    return Refusal(
        findings=blocks,
        blocks=blocks,
        skipped=(),
        way_on=way_on(run.policy, blocks),
        outage="",
        snapshot=plan.preflight.snapshot,
        preflight=plan.preflight,
    )


def _internal(error: Exception) -> BackoutError:
    return BackoutError(
        f"internal error ({type(error).__name__}: {error})",
        remedy="report this error",
    )
