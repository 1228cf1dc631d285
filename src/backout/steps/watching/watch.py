"""Watches a rollout to a verdict: success, the first final failure, or the time-out."""

from __future__ import annotations

import asyncio
from dataclasses import field
from typing import TYPE_CHECKING, Self

from backout.core.diagnosis import diagnosis, exits
from backout.core.diagnosis.diagnosis import Before, Meanwhile
from backout.core.history.revisions import of_template
from backout.core.images.names import ran
from backout.core.kubernetes import objects
from backout.core.rollout import verdict
from backout.core.rollout.verdict import Complete, Failed, Progressing, Unknown, Verdict
from backout.core.rollout.view import counts, view
from backout.core.value import dataclass
from backout.steps.reading.nodes import Nodes
from backout.steps.watching.follow import newest_states
from backout.steps.watching.tell import Teller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.exits import Exit, Key
    from backout.core.kinds.kind import Counters
    from backout.core.model import Object
    from backout.steps.run import Run
    from backout.steps.watching.follow import Newest

TICK = 1.0
"""Seconds after which a state that has not changed is judged again: some rules are about time."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is followed: a workload as it was when its rollout began, and where it is to get.

    `wanted` is the template's hash. `earlier` is how its Pods were before: what was broken then is
    not blamed on the rollout. With `fail_fast` a suspected cause is final.
    """

    workload: Object
    wanted: str
    earlier: Before = field(default_factory=Before)
    fail_fast: bool = False


class Watch:
    """Follows one rollout while it is entered; judged again whenever something or time has moved.

    The user's progress deadline is honoured by our own clock: the controller's own may be stale or
    never come (kubernetes.md section 0).
    """

    def __init__(self, run: Run, watched: Watched, *, deadline: float) -> None:
        self._run, self._kind = run, run.target.kind
        self._watched = watched
        self._deadline = deadline
        self._clock = asyncio.get_running_loop().time
        self._began = self._moved_at = self._clock()
        self._counters: tuple[object, ...] = ()
        self._teller = Teller(run)
        self._nodes = Nodes(run)
        self._state: Newest | None = None
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._exits: Mapping[Key, Exit] = {}
        self._pods: list[Object] = []
        self._causes: tuple[Cause, ...] = ()

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
        return ran(p for p in self._pods if objects.is_ready(p))

    @property
    def pods(self) -> list[Object]:
        """The watched revision's Pods, as last seen."""
        return self._pods

    @property
    def blindness(self) -> str:
        """Why the rollout cannot be seen now; empty where it can."""
        return "no answer" if self._state is None else self._state.blindness

    async def verdict(self) -> Verdict:
        """Return the verdict; never later than the deadline."""
        blind = "no answer"
        while self._clock() < min(self._deadline, self._progress_deadline()):
            state = await self._next()
            blind = self.blindness
            if state is None or blind:
                continue
            self._teller.missing(state)
            verdict = self._judge(state)
            if await self._nodes.ask(self._causes):
                verdict = self._judge(state)
            if isinstance(verdict, Failed) and not state.has_heard_events:
                continue
            if isinstance(verdict, Progressing | Failed):
                self._teller.causes(self._causes)
            if not isinstance(verdict, Progressing):
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
        restarts = _restarts(self._pods)
        while True:
            state = await self._next()
            if state is None or state.blindness:
                continue
            verdict = self._judge(state)
            for name, count in _restarts(self._pods).items():
                if count > restarts.get(name, count):
                    return f"{name} restarted after it was available"
            if not isinstance(verdict, Complete):
                return verdict.message

    async def _follow(self) -> None:
        selector = objects.selector_text(self._watched.workload["spec"]["selector"])
        async for state in newest_states(self._run.client, self._run.target, selector):
            self._state = state
            self._changed.set()

    async def _next(self) -> Newest | None:
        """Return the newest state after a change or a tick; raise what ended the following."""
        following = self._following
        if following is not None and following.done():
            following.result()
        left = max(0.0, min(TICK, self._deadline - self._clock()))
        changed = asyncio.ensure_future(self._changed.wait())
        waits = {changed, *([following] if following is not None else [])}
        try:
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        self._changed.clear()
        return self._state

    def _judge(self, state: Newest) -> Verdict:
        watched = self._watched
        current = of_template(
            self._kind.revisions(watched.workload, state.stored.values(), state.pods.values()),
            watched.wanted,
        )
        self._pods = list(current.pods) if current is not None else []
        others = [p for p in state.pods.values() if p not in self._pods]
        self._exits = exits.seen(self._exits, self._pods)
        self._causes = diagnosis.causes(
            state.workload or watched.workload,
            self._kind,
            current.stored if current is not None else None,
            self._pods,
            state.events.values(),
            others=others,
            now=self._run.server_now(),
            earlier=watched.earlier,
            meanwhile=Meanwhile(exits=self._exits, nodes_may_return=self._nodes.may_return),
        )
        if watched.fail_fast:
            self._causes = diagnosis.hastened(self._causes, watched.earlier)
        self._show(state, others)
        if "pods" not in state.missing:
            self._teller.replicas(counts(self._counted(state), self._pods, others))
        return verdict.judge(
            state.workload,
            self._kind,
            wanted=watched.wanted,
            began=watched.workload,
            pods=self._pods if state.shows_pods else None,
            causes=self._causes,
        )

    def _show(self, state: Newest, others: list[Object]) -> None:
        self._run.show(
            view(
                self._kind.counters(state.workload or self._watched.workload),
                self._pods,
                others,
                self._causes,
                elapsed=self._clock() - self._began,
                allowed=self._deadline - self._began,
            )
        )

    def _counted(self, state: Newest) -> Counters | None:
        return self._kind.counters(state.workload) if state.workload is not None else None

    def _note_progress(self, verdict: Progressing, state: Newest) -> None:
        """Note a change of a counter, which is progress for the deadline, and say a new word."""
        counters = (objects.observed_generation(state.workload or {}), self._counted(state))
        if counters != self._counters:
            self._counters, self._moved_at = counters, self._clock()
        self._teller.progress(verdict.message)

    def _out_of_time(self) -> Verdict:
        self._causes = self._causes or diagnosis.unready(self._pods)
        self._teller.causes(self._causes)
        root = f"; {self._causes[0].subject}: {self._causes[0].message}" if self._causes else ""
        if self._clock() >= self._deadline:
            words = f"not finished when time was up: {self._teller.said}{root}"
            return Unknown(message=words, causes=self._causes)
        seconds = self._kind.deadline(self._watched.workload)
        return Failed(
            message=f"no progress for {seconds} s (progressDeadlineSeconds){root}",
            causes=self._causes,
        )

    def _progress_deadline(self) -> float:
        seconds = self._kind.deadline(self._watched.workload)
        return self._deadline if seconds is None else self._moved_at + seconds


def _restarts(pods: list[Object]) -> dict[str, int]:
    return {
        f"container {s.get('name')} of Pod {objects.name(p)}": int(s.get("restartCount") or 0)
        for p in pods
        for s, _ in objects.container_statuses(p)
    }
