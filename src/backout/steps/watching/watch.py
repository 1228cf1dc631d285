"""Watches a rollout to a verdict: success, the first final failure, or the time-out."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Self

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.diagnosis import diagnosis, finality
from backout.core.diagnosis.before import Before, progress_deadline
from backout.core.diagnosis.diagnosis import Diagnosis, Meanwhile, Scene
from backout.core.diagnosis.groups import Patience
from backout.core.history.revisions import of_template
from backout.core.images.names import ran
from backout.core.kubernetes import objects
from backout.core.rollout import outliving, verdict
from backout.core.rollout.progress import Best, bettered, by_pods
from backout.core.rollout.verdict import Complete, Failed, Progressing, Unknown, Verdict
from backout.core.rollout.view import counts, view
from backout.steps.concurrency import race, running
from backout.steps.reading.nodes import Nodes, suspected
from backout.steps.watching.follow import newest_states
from backout.steps.watching.second_look import SecondLook
from backout.steps.watching.tell import Teller
from backout.steps.watching.ticks import TICK, fresh_for, tick_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.groups import Look
    from backout.core.kinds.kind import Counters
    from backout.core.model import Object
    from backout.core.rollout.outliving import Runs
    from backout.steps.run import Run
    from backout.steps.watching.follow import Newest


class Watched(Struct, frozen=True, kw_only=True):
    """What is followed: a workload as it was when its rollout began, and where it is to get.

    `wanted` is the template's hash. `earlier` is how its Pods were before: what was broken then is
    not blamed on the rollout. With `fail_fast` a suspected cause is final. `replace` deletes a Pod
    that holds the rollout up, where the user asked for that, and tells whether it did.
    """

    workload: Object
    wanted: str
    earlier: Before = field(default_factory=Before)
    fail_fast: bool = False
    patience: Patience = field(default_factory=Patience)
    replace: Callable[[Scene], Awaitable[bool]] | None = None


class Watch:
    """Follows one rollout while it is entered; judged again whenever something or time has moved.

    The user's progress deadline is honoured by our own clock: the controller's own may be stale or
    never come (docs/facts/controllers.md).
    """

    def __init__(self, run: Run, watched: Watched, *, deadline: float = math.inf) -> None:
        self._run, self._kind = run, run.target.kind
        self._watched = watched
        self._deadline = deadline
        self._clock = asyncio.get_running_loop().time
        self._began = self._moved_at = self._clock()
        self._said_at = self._began
        self._tick = TICK
        self._best = Best()
        self._allowed = progress_deadline(watched.workload, self._kind)
        self._teller = Teller(run)
        self._nodes = Nodes(run)
        self._second_look = SecondLook(run)
        self._state: Newest | None = None
        self._changed, self._observed = asyncio.Event(), asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._meanwhile = Meanwhile(exits=watched.earlier.exits, patience=watched.patience)
        self._runs: Runs = {}
        self._scene: Scene | None = None
        self._number: int | None = None
        self._due: frozenset[Look] = frozenset()
        self._causes: tuple[Cause, ...] = ()
        self._healthy = ""

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.show(None)
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})

    @property
    def images(self) -> Mapping[str, str]:
        """The digests that the watched revision's Ready Pods run, by container."""
        return ran(p for p in self.pods if objects.is_ready(p))

    @property
    def pods(self) -> Sequence[Object]:
        """The watched revision's Pods, as last seen."""
        return self._scene.pods if self._scene is not None else ()

    @property
    def workload(self) -> Object:
        """The workload, as last seen."""
        return self._scene.workload if self._scene is not None else self._watched.workload

    @property
    def began(self) -> Object:
        """The workload as it was when its rollout began."""
        return self._watched.workload

    async def observed(self, *, within: float) -> Object | None:
        """Return the workload as last seen, once its controller has seen what began the rollout.

        None where that took longer, in seconds, or the workload is gone.
        """
        async with running(self._observed.wait()) as observed:
            await race(observed, within=within)
        if self._state is None or not self._observed.is_set():
            return None
        return self._state.workload

    @property
    def revision(self) -> int | None:
        """The number that the watched revision has now; None where it has none, or is not seen."""
        return self._number

    def hear(self, healthy: str) -> None:
        """Show how many answers of the service are well, of how many it takes: `3/6`."""
        self._healthy = healthy

    @property
    def blindness(self) -> str:
        """Why the rollout cannot be seen now; empty where it can."""
        return "no answer" if self._state is None else self._state.blindness

    async def verdict(self) -> Verdict:
        """Return the verdict; without a deadline as late as the rollout moves."""
        blind = "no answer"
        while self._clock() < min(self._deadline, self._moved_at + self._allowed):
            state = await self._next()
            blind = self.blindness
            if state is None or blind:
                continue
            self._teller.missing(state)
            verdict = self._judge(state)
            # Both: each may be what another verdict needs.
            unready = () if isinstance(verdict, Complete) else state.pods.values()
            asked = self._nodes.ask(self._causes, suspected(self._kind, unready))
            if await asked | await self._second_look.take(self._due):
                verdict = self._judge(state)
            if isinstance(verdict, Failed) and not state.has_heard_events:
                continue
            if await self._has_replaced(verdict):
                continue
            if isinstance(verdict, Progressing | Failed):
                self._teller.causes(self._causes)
            if not isinstance(verdict, Progressing):
                self._moved_at = self._clock()
                return verdict
            self._note_progress(verdict, state)
        if blind:
            return Unknown(message=f"the API server cannot be followed: {blind}")
        return self._out_of_time()

    async def reopened(self) -> str:
        """Return why the rollout is in question again after it was complete; waits for that.

        A container that restarts after "available" is no success yet: a liveness loop and one that
        comes and goes both pass a look at the counters.
        """
        restarts = _restarts(self.pods)
        while True:
            state = await self._next()
            healthy = f"healthy {self._healthy}: " if self._healthy else ""
            self._sign_of_life(f"{healthy}checking that the Pods stay up")
            if state is None or state.blindness:
                continue
            verdict = self._judge(state)
            for name, count in _restarts(self.pods).items():
                if count > restarts.get(name, count):
                    return f"{name} restarted after it was available"
            if not isinstance(verdict, Complete):
                return verdict.message

    async def _follow(self) -> None:
        selector = objects.selector_text(self._watched.workload["spec"]["selector"])
        async for state in newest_states(self._run.client, self._run.target, selector):
            self._state = state
            self._changed.set()
            began = objects.generation(self._watched.workload)
            if objects.observed_generation(state.workload or {}) >= began:
                self._observed.set()

    async def _next(self) -> Newest | None:
        """Return the newest state after a change or a tick; raise what ended the following."""
        following = self._following
        if following is not None and following.done():
            following.result()
        left = max(0.0, min(self._tick, self._deadline - self._clock()))
        async with running(self._changed.wait()) as changed:
            await race(changed, *([following] if following is not None else []), within=left)
        self._changed.clear()
        return self._state

    def _judge(self, state: Newest) -> Verdict:
        began = time.thread_time()
        judged = self._judged(state)
        self._tick = tick_after(time.thread_time() - began)
        return judged

    def _judged(self, state: Newest) -> Verdict:
        watched = self._watched
        scene = self._seen(state)
        self._scene = scene
        found = self._diagnosed(scene)
        self._meanwhile, self._due = found.meanwhile, found.due
        self._causes = found.causes
        if watched.fail_fast:
            self._causes = finality.hastened(self._causes, watched.earlier.broken)
        self._show(scene)
        self._teller.lost(scene.lost)
        if "pods" not in state.missing:
            self._teller.replicas(counts(self._counted(state), scene.pods, scene.others))
        judged = verdict.judge(
            state.workload,
            self._kind,
            wanted=watched.wanted,
            began=watched.workload,
            seen=scene.seen if state.shows_pods else None,
            causes=self._causes,
        )
        return self._outlived(scene) if isinstance(judged, Complete) else judged

    def _seen(self, state: Newest) -> Scene:
        watched = self._watched
        current = of_template(
            self._kind.revisions(watched.workload, state.stored.values(), state.pods.values()),
            watched.wanted,
        )
        own = list(current.pods) if current is not None else []
        self._number = current.number or None if current is not None else None
        self._runs = outliving.runs_seen(self._runs, own, self._clock())
        return Scene(
            workload=state.workload or watched.workload,
            kind=self._kind,
            stored=current.stored if current is not None else None,
            pods=own,
            now=self._run.server_now(),
            events=list(state.events.values()),
            others=objects.others(state.pods.values(), own),
            earlier=watched.earlier,
            lost=self._nodes.lost(state.pods.values()),
        )

    async def _has_replaced(self, verdict: Verdict) -> bool:
        """Tell whether a Pod that held the rollout up was deleted: all is judged again then."""
        replaces, scene = self._watched.replace, self._scene
        if replaces is None or scene is None or not isinstance(verdict, Progressing | Failed):
            return False
        return await replaces(scene)

    def _diagnosed(self, scene: Scene) -> Diagnosis:
        known = replace(
            self._meanwhile,
            looked=self._second_look.found,
            nodes_may_return=self._nodes.may_return,
            fresh=fresh_for(len(scene.pods)),
        )
        return diagnosis.diagnose(scene, known, self._clock())

    def _outlived(self, scene: Scene) -> Verdict:
        """Return success once each container that has ended since has outlived its earlier runs."""
        awaited = outliving.unproven(
            scene.pods,
            self._meanwhile.exits,
            self._watched.earlier.restarts,
            self._runs,
            at=self._clock(),
            now=scene.now,
        )
        if awaited:
            return Progressing(message=f"rolled out, and not settled: {awaited}")
        return Complete(message=self._kind.rolled_out(scene.workload))

    def _show(self, scene: Scene) -> None:
        self._run.show(
            view(
                self._kind.counters(scene.workload),
                scene.pods,
                scene.others,
                self._causes,
                elapsed=self._clock() - self._began,
                allowed=min(self._deadline, self._moved_at + self._allowed) - self._began,
                healthy=self._healthy,
            )
        )

    def _counted(self, state: Newest) -> Counters | None:
        return self._kind.counters(state.workload) if state.workload is not None else None

    def _note_progress(self, judged: Progressing, state: Newest) -> None:
        """Note a new best, which is progress for the deadline; say a new word, or give a sign."""
        count = self._counted(state)
        if count is not None:
            if self._kind.makes_pods and state.shows_pods:
                count = by_pods(count, self.pods)
            began = objects.generation(self._watched.workload)
            is_observed = objects.observed_generation(state.workload or {}) >= began
            self._best, has_moved = bettered(self._best, count, is_observed=is_observed)
            if has_moved:
                self._moved_at = self._clock()
        if self._teller.progress(judged.message):
            self._said_at = self._clock()
        self._sign_of_life(judged.message)

    def _sign_of_life(self, awaited: str) -> None:
        """Say what is awaited once more where nothing was said for a while."""
        now = self._clock()
        if now - self._said_at >= self._run.limits.sign_of_life:
            self._said_at = now
            self._teller.sign_of_life(awaited, self._standing(), now - self._began)

    def _standing(self) -> tuple[Cause, ...]:
        """Return what is wrong, else what is awaited."""
        if self._causes or self._scene is None:
            return self._causes
        return diagnosis.pending(self._scene, self._meanwhile)

    @property
    def _whose(self) -> str:
        """Whose word the deadline is, in words; empty where it is ours."""
        told = self._kind.deadline(self._watched.workload)
        return " (progressDeadlineSeconds)" if told is not None else ""

    def _out_of_time(self) -> Verdict:
        self._causes = self._standing()
        self._teller.causes(self._causes)
        first = self._causes[0] if self._causes else None
        root = (f"{first.subject}: {first.message}",) if first is not None else ()
        if self._clock() >= self._deadline:
            also = (*([f"last seen: {self._teller.said}"] if self._teller.said else []), *root)
            return Unknown(message="not finished when time was up", also=also, causes=self._causes)
        scene, before = self._scene, self._watched.earlier.standing
        if scene is not None and verdict.stands_by(scene.pods, scene.others, before):
            wanted = self._kind.counters(scene.workload).wanted
            words = f"{before} of {wanted} Pods are Ready, as before"
            why = "the others run and have never restarted: active and passive by design?"
            return Unknown(message=words, also=(why,), causes=self._causes)
        return Failed(
            message=f"no progress for {self._allowed} s{self._whose}",
            also=root,
            causes=self._causes,
        )


def until(run: Run, since: float) -> float:
    """Return the event loop's time at which the user's time-out is over; infinity without one."""
    return since + run.limits.total if run.limits.total is not None else math.inf


def _restarts(pods: Sequence[Object]) -> dict[str, int]:
    return {
        f"container {s.get('name')} of Pod {objects.name(p)}": int(s.get("restartCount") or 0)
        for p in pods
        for s, _ in objects.container_statuses(p)
    }
