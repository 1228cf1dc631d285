"""Tries the target out in one trial Pod before anything is switched (`--rehearse`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.diagnosis import diagnosis, finality
from backout.core.diagnosis.before import Before, others_of, progress_deadline
from backout.core.diagnosis.diagnosis import Meanwhile, Scene
from backout.core.diagnosis.groups import patience
from backout.core.errors import ApiError, BackoutError
from backout.core.events.planning import Rehearsing
from backout.core.health.endpoints import askable
from backout.core.health.judgement import Health, Healthy, Inconclusive, Unhealthy
from backout.core.kubernetes import objects
from backout.core.preflight import rehearsal
from backout.core.preflight.rehearsal import NotRehearsed, Rehearsal, RehearsalFailed, Rehearsed
from backout.core.references.references import Referent, of_template
from backout.core.rights import permissions
from backout.kube import paths
from backout.steps.asking.probe import Asking, NotVerified
from backout.steps.asking.proxied import PodAsked
from backout.steps.concurrency import race
from backout.steps.reading.read import may
from backout.steps.rehearsing.trial import sweep, trial
from backout.steps.watching.follow import newest_states
from backout.steps.watching.logs import tell_logs
from backout.steps.watching.second_look import SecondLook

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.groups import Look
    from backout.core.model import Object
    from backout.core.preflight.snapshot import Preflight
    from backout.steps.run import Run
    from backout.steps.watching.follow import Newest

_Heard = Health | NotVerified | None
"""What a trial Pod said of its health; None: there is nothing to ask."""
TICK = 1.0
"""Seconds after which a state that has not changed is judged again: some rules are about time."""
_ELSEWHERE = {"UNSCHEDULABLE", "SCHEDULING_GATED", "EVICTED", "NODE_LOST"}
"""Causes that are not in the target: the trial shows nothing about it then."""


async def rehearse(run: Run, preflight: Preflight) -> Rehearsal:
    """Return what one trial Pod of the target shows; it is deleted before this returns.

    A template that was rehearsed in this run is not rehearsed again. Never raises BackoutError.
    """
    digest = preflight.destination.hash
    if digest not in run.rehearsed:
        try:
            found = await _why_not(run, preflight) or await _rehearsed(run, preflight)
        except BackoutError as error:
            found = NotRehearsed(why=error.message, remedy=error.remedy)
        run.rehearsed[digest] = found
        run.say(Rehearsing(message=_words(found), result=type(found).__name__))
    return run.rehearsed[digest]


async def _why_not(run: Run, preflight: Preflight) -> NotRehearsed | None:
    template, history = preflight.destination.template, preflight.revisions
    wanted = preflight.snapshot.workload["spec"]["template"]
    barrier = rehearsal.beyond(preflight.origin, history, wanted)
    if barrier:
        return NotRehearsed(why=barrier, is_refused=True)
    why = rehearsal.unwelcome(preflight.snapshot.pace, template, await _claims(run, template))
    if why:
        return NotRehearsed(why=why)
    answers = await asyncio.gather(*(may(run, p) for p in permissions.REHEARSAL))
    denied = [str(p) for p, may_ in zip(permissions.REHEARSAL, answers, strict=True) if not may_]
    if denied:
        return NotRehearsed(
            why=f"you may not {', '.join(denied)} in namespace {run.target.namespace}",
            remedy=f"ask for this rule in a Role: {permissions.REHEARSAL_RULE}",
            is_refused=True,
        )
    return None


async def _claims(run: Run, template: Object) -> dict[str, Object]:
    """Return the claims that it names, those that can be read, by name."""
    found: dict[str, Object] = {}
    for name in {
        u.reference.name for u in of_template(template) if u.reference.kind is Referent.CLAIM
    }:
        try:
            path = paths.named(run.target.namespace, str(Referent.CLAIM), name)
            found[name] = await run.client.get(path)
        except BackoutError:
            continue
    return found


async def _rehearsed(run: Run, preflight: Preflight) -> Rehearsal:
    await sweep(run)
    here, seconds = run.identity, run.policy.rehearse
    by = {
        "actor": here.actor,
        "host": here.host,
        "bootID": here.boot_id,
        "pid": here.pid,
        "pidNamespace": here.namespace,
        "startedAt": here.started,
    }
    body = rehearsal.trial_pod(run.target, preflight.destination, op=run.op, by=by, seconds=seconds)
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with trial(run, body) as pod:
            run.say(
                Rehearsing(
                    message=f"rehearsing revision {preflight.destination.number} in trial Pod "
                    f"{objects.name(pod)}, at most {seconds:g} s; nothing is switched yet",
                    pod=objects.name(pod),
                )
            )
            return await _Trial(run, preflight, pod, deadline).judged()
    except ApiError as error:
        return NotRehearsed(why=f"the trial Pod is refused: {error.message}", remedy=error.remedy)


def _words(found: Rehearsal) -> str:
    match found:
        case Rehearsed(words=words):
            return f"rehearsed: {words}"
        case RehearsalFailed(why=why):
            return f"the rehearsal failed: {why}"
        case NotRehearsed(why=why):
            return f"not rehearsed: {why}"


class _Trial:
    """Judges one trial Pod by its newest state, until it is up and has held, or time is up."""

    def __init__(self, run: Run, preflight: Preflight, pod: Object, deadline: float) -> None:
        self.run, self.preflight, self.pod, self.deadline = run, preflight, pod, deadline
        self.meanwhile = Meanwhile(patience=patience(run.policy.patience))
        self.scene: Scene | None = None
        self._second_look = SecondLook(run)
        self._due: frozenset[Look] = frozenset()
        self.causes: tuple[Cause, ...] = ()
        self.asking: asyncio.Task[_Heard] | None = None
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._ready_at = 0.0
        snapshot = self.preflight.snapshot
        templates = [r.template for r in self.preflight.revisions]
        deadline = progress_deadline(snapshot.workload, snapshot.kind)
        self._earlier = Before(others=others_of(snapshot.pods, templates, deadline=deadline))

    async def judged(self) -> Rehearsal:
        states = newest_states(
            self.run.client, self.run.target, rehearsal.of_operation(self.run.op)
        )
        try:
            found = await self._followed(states)
        finally:
            await _cancelled(self.asking)
            await states.aclose()
        if isinstance(found, RehearsalFailed):
            await tell_logs(self.run, [self.pod], self.causes)
        return found

    async def _followed(self, states: AsyncGenerator[Newest, None]) -> Rehearsal:
        coming: asyncio.Task[Newest] | None = None
        state: Newest | None = None
        try:
            while self._clock() < self.deadline:
                coming = coming or asyncio.ensure_future(_next(states))
                asking = [self.asking] if self.asking is not None else []
                left = max(0.0, min(TICK, self.deadline - self._clock()))
                await race(coming, *asking, within=left)
                if coming.done():
                    state, coming = coming.result(), None
                found = await self._judge(state) if state is not None else None
                if found is not None:
                    return found
        finally:
            await _cancelled(coming)
        return self._out_of_time(state)

    async def _judge(self, state: Newest) -> Rehearsal | None:
        if "pods" in state.missing:
            return NotRehearsed(why=f"it cannot be followed: {state.missing['pods']}")
        if "pods" not in state.listed or "pods" in state.interrupted:
            return None
        pod = state.pods.get(objects.uid(self.pod))
        if pod is None or objects.dig(pod, "metadata", "deletionTimestamp"):
            return NotRehearsed(why="somebody deleted the trial Pod")
        self.pod = pod
        final = self._final(state)
        if await self._second_look.take(self._due):
            final = self._final(state)
        if final is not None and state.has_heard_events:
            return self._failed(final)
        await self._ask(pod)
        if self.asking is not None and self.asking.done():
            return self._answered(self.asking.result())
        return None

    def _final(self, state: Newest) -> Cause | None:
        """Return the final cause, if there is one; a Pod that has ended has one."""
        snapshot = self.preflight.snapshot
        self.scene = Scene(
            workload=snapshot.workload,
            kind=self.run.target.kind,
            stored={},
            pods=[self.pod],
            events=list(state.events.values()),
            others=snapshot.pods,
            now=self.run.server_now(),
            earlier=self._earlier,
        )
        known = replace(self.meanwhile, looked=self._second_look.found)
        found = diagnosis.diagnose(self.scene, known, self._clock())
        self.causes, self.meanwhile, self._due = found.causes, found.meanwhile, found.due
        if self.run.policy.fail_fast:
            self.causes = finality.hastened(self.causes, self._earlier.broken)
        has_ended = objects.dig(self.pod, "status", "phase") in {"Failed", "Succeeded"}
        return next((c for c in self.causes if c.is_final or has_ended), None)

    def _failed(self, cause: Cause) -> Rehearsal:
        words = f"{cause.subject}: {cause.message}"
        if cause.code in _ELSEWHERE:
            return NotRehearsed(why=words, remedy=cause.remedy)
        return RehearsalFailed(why=words, remedy=cause.remedy)

    def _out_of_time(self, state: Newest | None) -> Rehearsal:
        seconds = self.run.policy.rehearse
        if state is None or "pods" not in state.listed or "pods" in state.interrupted:
            return NotRehearsed(why=f"the API server could not be followed for {seconds:g} s")
        if self.asking is not None:
            return NotRehearsed(
                why=f"its trial Pod was not up for long enough after {seconds:g} s",
                remedy="give it longer: --rehearse-timeout",
            )
        if not self.causes and self.scene is not None:
            self.causes = diagnosis.pending(self.scene, self.meanwhile)
        if self.causes and self.causes[0].code in _ELSEWHERE:
            return self._failed(self.causes[0])
        root = f"; {self.causes[0].message}" if self.causes else ""
        return RehearsalFailed(
            why=f"its trial Pod was not Ready within {seconds:g} s{root}",
            remedy="give it longer: --rehearse-timeout; or go to another revision",
        )

    async def _ask(self, pod: Object) -> None:
        """Begin to ask once it is Ready; begin again where it was not, meanwhile."""
        if objects.is_ready(pod) and self.asking is None:
            self._ready_at = self._clock()
            self.asking = asyncio.create_task(self._health(pod))
        elif not objects.is_ready(pod) and self.asking is not None:
            await _cancelled(self.asking)
            self.asking = None

    async def _health(self, pod: Object) -> _Heard:
        """Return its health, asked through the API server; None where there is nothing to ask."""
        limits, name = self.run.limits, objects.name(pod)
        holds_at = self._clock() + limits.soak
        found: _Heard = None
        asked = askable(self.preflight.endpoints)
        subjects = tuple(
            PodAsked(run=self.run, pod=name, endpoint=one, is_only=len(asked) == 1) for one in asked
        )
        if subjects:
            until = min(self.deadline - limits.health_interval, self._clock() + limits.health)
            found = await self._asked(Asking(self.run, subjects), until)
        await asyncio.sleep(max(0.0, holds_at - self._clock()))
        return found

    async def _asked(self, asking: Asking, until: float) -> Health | NotVerified:
        """Wait for a bad answer to become a good one; where nobody answers, no longer than that."""
        limits = self.run.limits
        least = limits.health_soak + limits.health_interval * (self.run.policy.successes + 1)
        while True:
            found = await asking.verdict(min(until, self._clock() + least))
            if not isinstance(found, Unhealthy) or self._clock() + limits.health_interval >= until:
                return found

    def _answered(self, found: _Heard) -> Rehearsal:
        start = f"its trial Pod was Ready after {self._ready_at - self._began:.1f} s"
        held = f"{start} and held for {self.run.limits.soak:g} s"
        match found:
            case Healthy(successes=count):
                return Rehearsed(words=f"{start} and answered well {count} times")
            case Unhealthy(why=why, also=also):
                answers = "; ".join((why, *also))
                return RehearsalFailed(why=f"{start}, and answered badly: {answers}")
            case NotVerified(why=why):
                return Rehearsed(words=f"{held}; its health could not be asked: {why}")
            case Inconclusive(why=why, also=also):
                answers = "; ".join((why, *also))
                return Rehearsed(words=f"{held}; its answers prove nothing: {answers}")
            case None:
                return Rehearsed(words=held)


async def _next(states: AsyncGenerator[Newest, None]) -> Newest:
    return await anext(states)


async def _cancelled(task: asyncio.Task[object] | None) -> None:
    """End a task and wait for it; what it found is of no interest any more."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})
