"""One rollback after its plan is agreed: lock, act, watch, verify, close. The record never lies."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from backout.core.checks.breaker import UNDER_WAY
from backout.core.diagnosis.before import before, progress_deadline
from backout.core.diagnosis.groups import patience
from backout.core.errors import BackoutError
from backout.core.ledger.records import State
from backout.core.outcome import Outcome, Result
from backout.core.owners import owners
from backout.core.owners.owners import OWNERS_TURN
from backout.core.plan.plan import Refusal, next_candidate, way_on
from backout.core.references import references
from backout.core.value import dataclass
from backout.kube import paths
from backout.steps.acting.act import (
    Act,
    Applied,
    NotApplied,
    Sent,
    Stale,
    Undecided,
    act,
    difference,
)
from backout.steps.acting.conclude import conclude, not_recorded, not_watched, unknown
from backout.steps.acting.hand_over import hand_over
from backout.steps.acting.publish import publish
from backout.steps.ledger.closing import Closing, closed_after_landing
from backout.steps.ledger.keep import Keeper
from backout.steps.ledger.lease import Edit, Held, applied, closed, unchanged
from backout.steps.ledger.lock import Recovered, take
from backout.steps.preflight.prepare import tell_choice, tell_refusal
from backout.steps.preflight.surroundings import surroundings
from backout.steps.watching.soak import settled
from backout.steps.watching.watch import Watch, Watched, until

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from backout.core.model import Object
    from backout.core.plan.plan import Plan
    from backout.steps.run import Run
    from backout.steps.watching.soak import Ending

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Again:
    """Nothing was sent, and the plan no longer holds; `why` is said before the next is made."""

    why: str


class Rollback:
    """Carries one plan out.

    `since` is the event loop's time at which its preparation began: the time-out is of the whole.
    """

    def __init__(self, run: Run, plan: Plan, *, since: float) -> None:
        self._run = run
        self._plan = plan
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._deadline = since + total_seconds(run, plan.preflight.snapshot.workload)
        self._until = until(run, since)
        there, named = plan.preflight.destination, plan.preflight.snapshot.named
        self._closing = Closing(run, references.versions(there.template, named))
        self._sent = Sent()
        self._judged: tuple[Outcome, Edit] | None = None

    async def carry_out(self) -> Outcome | Again:
        """Return the outcome, or that a new plan is needed before anything is sent.

        An interruption or an error closes or hands over the record, releases the lock, and is told
        truly.
        """
        return await self._told(self._steps())

    async def go_on(self, held: Held, workload: Object) -> Outcome:
        """Watch, verify and close a rollback whose PATCH landed before; the lock is ours.

        `workload` is as just read.
        """
        self._closing.may_hold, self._closing.held = True, held
        self._sent.maybe, self._sent.act = True, Applied(workload=workload)
        return await self._told(self._after(held, workload))

    async def _told(self, steps: Coroutine[Any, Any, T]) -> T | Outcome:
        """Return how it ended, whatever ends it."""
        try:
            return await steps
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return await self._interrupted()
        except BackoutError as error:
            return await self._stopped(error)
        except Exception as error:  # noqa: BLE001 (a defect of ours must not leave a false record)
            return await self._stopped(_internal(error))

    async def _steps(self) -> Outcome | Again:
        path = paths.workload(self._run.target)
        now = await self._run.client.get(path)
        stale = difference(self._run.target.kind, self._plan.preflight.snapshot.workload, now)
        if stale:
            return Again(why=f"the plan went stale: {stale}")
        async with surroundings(self._run):
            return await self._locked(path)

    async def _locked(self, path: str) -> Outcome | Again:
        held = await self._lock()
        if not isinstance(held, Held):
            return held
        async with Keeper(self._run, held):
            done = await act(self._run, self._plan, held, self._sent, deadline=self._deadline)
        match done:
            case Applied(workload=workload):
                return await self._after(held, workload or await self._run.client.get(path))
            case Stale(why=why):
                await self._closing.close(closed(State.NOT_APPLIED, verdict=why))
                return Again(why=f"the plan went stale: {why}")
            case NotApplied(error=error):
                return await self._stopped(error)
            case Undecided():
                return await self._unknown(done, Result.UNDECIDED)

    async def _lock(self) -> Held | Outcome | Again:
        self._closing.may_hold = True
        left = timedelta(seconds=self._deadline - self._clock())
        try:
            async with asyncio.timeout_at(self._deadline):
                taken = await take(self._run, self._plan, deadline=left)
        except TimeoutError:
            raise BackoutError("time was up before the lock was taken") from None
        if isinstance(taken, Held):
            self._closing.held = taken
            return taken
        self._closing.may_hold = False
        if isinstance(taken, Recovered):
            return Again(why="what was left open is settled")
        if self._run.limits.wait_lock and {f.id for f in taken} == {UNDER_WAY.id}:
            return Again(why=taken[0].message)
        refusal = Refusal(
            findings=taken,
            blocks=taken,
            skipped=(),
            way_on=way_on(self._run.policy, taken),
            outage="",
            preflight=self._plan.preflight,
        )
        return refusal_outcome(self._run, refusal)

    async def _after(self, held: Held, workload: Object) -> Outcome:
        """Watch, verify and close what our PATCH began."""
        await self._closing.note(applied)
        async with Keeper(self._run, held):
            ending = await self._ending(workload)
        self._judged = conclude(self._run, self._plan, ending, self._clock() - self._began)
        outcome, edit = self._judged
        if outcome.result is Result.FAILED:
            self._run.say("next", next_candidate(self._plan.preflight))
        is_closed = await self._closing.close(edit)
        await publish(self._run, workload, outcome)
        return outcome if is_closed else not_recorded(outcome)

    async def _ending(self, workload: Object) -> Ending:
        preflight = self._plan.preflight
        destination = preflight.destination
        templates = [r.template for r in preflight.revisions if r.hash != destination.hash]
        watched = Watched(
            workload=workload,
            wanted=destination.hash,
            earlier=before(
                preflight.snapshot.pods,
                preflight.snapshot.now,
                templates,
                deadline=progress_deadline(workload, self._run.target.kind),
                ran=preflight.choice.proven,
            ),
            fail_fast=self._run.policy.fail_fast,
            patience=patience(self._run.policy.patience),
        )
        async with Watch(self._run, watched, deadline=self._until) as watch:
            return await settled(
                self._run, watch, preflight, deadline=self._until, hold=self._hold()
            )

    def _hold(self) -> float:
        """Return for how long an owner is waited for that may put the template back."""
        rivals = owners.may_revert(self._plan.preflight.snapshot.owners)
        if not rivals:
            return 0.0
        names = ", ".join(f"{o.tool} ({o.name})" for o in rivals)
        self._run.say(
            "note", f"watching for {OWNERS_TURN:g} s at least whether {names} puts it back"
        )
        return OWNERS_TURN

    async def _unknown(self, undecided: Undecided, result: Result) -> Outcome:
        """Leave the INTENT open where it can be settled later; close it where it cannot."""
        verdict = f"cannot be told: {undecided.why}"
        can_wait = undecided.may_settle
        await self._closing.close(
            unchanged if can_wait else closed(State.UNDECIDED, verdict=verdict)
        )
        return unknown(self._run, undecided.why, result)

    async def _stopped(self, error: BackoutError) -> Outcome:
        """Close the record after an error; what the outcome is depends on what may have left."""
        if self._judged is not None:
            outcome, edit = self._judged
            is_closed = await self._closing.close(edit)
            self._run.say("note", error.message)
            return outcome if is_closed else not_recorded(outcome)
        if isinstance(self._known(), Applied):
            await self._closing.close(closed_after_landing(f"stopped: {error.message}"))
            return not_watched(self._run, self._plan, f"stopped: {error.message}", Result.UNDECIDED)
        if self._sent.maybe and not isinstance(self._known(), NotApplied):
            return await self._unknown(
                Undecided(why=error.message, may_settle=True), Result.UNDECIDED
            )
        await self._closing.close(closed(State.NOT_APPLIED, verdict=error.message))
        return Outcome(
            result=Result.NOT_CHANGED,
            message=f"{error.message}; nothing was changed",
            remedy=error.remedy,
        )

    async def _interrupted(self) -> Outcome:
        if self._judged is not None:
            outcome, edit = self._judged
            await self._closing.close(edit)
            words = f"interrupted after the verdict: {outcome.message}"
            return replace(outcome, result=Result.INTERRUPTED, message=words)
        known = self._known()
        if isinstance(known, Applied):
            await self._closing.close(closed_after_landing("interrupted before it was judged"))
            return not_watched(self._run, self._plan, "interrupted", Result.INTERRUPTED)
        if isinstance(known, Undecided):
            return await self._unknown(known, Result.INTERRUPTED)
        if self._sent.maybe and known is None:
            why = "interrupted while finding out"
            return await self._unknown(Undecided(why=why, may_settle=True), Result.INTERRUPTED)
        await self._closing.close(closed(State.NOT_APPLIED, verdict="interrupted"))
        return Outcome(result=Result.INTERRUPTED, message="interrupted: nothing was changed")

    def _known(self) -> Act | None:
        return self._sent.act


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
    if refusal.preflight is not None:
        tell_choice(run, refusal.preflight)
    return refusal_outcome(run, refusal)


def refusal_outcome(run: Run, refusal: Refusal) -> Outcome:
    """Tell what refuses and return the outcome, whose remedy is the line that goes on anyway."""
    tell_refusal(run, refusal)
    hand_over(run, refusal)
    if refusal.outage:
        run.say("note", refusal.outage)
    ids = ", ".join(b.id for b in refusal.blocks)
    return Outcome(
        result=Result.REFUSED,
        message=f"refused ({ids}): nothing was changed",
        remedy=f"to go on anyway: {refusal.way_on}" if refusal.way_on else "",
    )


def _internal(error: Exception) -> BackoutError:
    return BackoutError(
        f"internal error ({type(error).__name__}: {error})",
        remedy="please report this",
    )
