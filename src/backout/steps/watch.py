"""Watches the rollout to a verdict: success, the first final failure, or the time-out."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from backout.core import diagnosis, objects, rollout, template
from backout.core.images import ran
from backout.core.revisions import pods_of
from backout.core.rollout import Complete, Failed, Progressing, Unknown, Verdict
from backout.steps.follow import Newest, newest_states

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from backout.core.causes import Cause
    from backout.core.diagnosis import Before
    from backout.core.model import Object
    from backout.steps.run import Run

NO_DEADLINE = 2**31 - 1
"""progressDeadlineSeconds that means none (kubernetes pkg/controller/deployment/util)."""


class Watch:
    """What is to be reached, and what was said and seen so far.

    The user's progress deadline is honoured by our own clock: the controller's own may be stale or
    never come (kubernetes.md section 0).
    """

    def __init__(
        self, run: Run, patched: Object, *, wanted: str, deadline: float, earlier: Before
    ) -> None:
        self._run = run
        self._patched = patched
        self._wanted = wanted
        self._deadline = deadline
        self._earlier = earlier
        self._clock = asyncio.get_running_loop().time
        self._moved_at = self._clock()
        self._counters: tuple[object, ...] = ()
        self._said = ""
        self._blind = "no answer"
        self._pods: list[Object] = []
        self._causes: tuple[Cause, ...] = ()
        self._told: set[tuple[str, ...]] = set()

    @property
    def images(self) -> Mapping[str, str]:
        """The digests that the watched revision's Ready Pods run, by container."""
        return ran(p for p in self._pods if objects.is_ready(p))

    async def verdict(self) -> Verdict:
        """Return the verdict; never later than the deadline."""
        selector = objects.selector_text(self._patched["spec"]["selector"])
        states = newest_states(self._run.client, self._run.target, selector)
        async with aclosing(states):
            try:
                return await self._first_final(states)
            except TimeoutError:
                pass
        if self._blind:
            return Unknown(message=f"the API server cannot be followed: {self._blind}")
        self._causes = self._causes or diagnosis.unready(self._pods)
        self._tell_causes()
        if self._clock() < self._deadline:
            return self._no_progress()
        return Unknown(
            message=f"not finished when time was up: {self._said}{self._root()}",
            causes=self._causes,
        )

    async def _first_final(self, states: AsyncGenerator[Newest, None]) -> Verdict:
        while True:
            async with asyncio.timeout_at(min(self._deadline, self._progress_deadline())):
                state = await anext(states)
            self._say_missing(state)
            self._blind = _blindness(state)
            if self._blind:
                continue
            verdict = self._judge(state)
            if isinstance(verdict, Progressing | Failed):
                self._tell_causes()
            if not isinstance(verdict, Progressing):
                return verdict
            self._tell_progress(verdict, state)

    def _judge(self, state: Newest) -> Verdict:
        current = self._replica_set(state)
        pods = pods_of(current, state.pods.values()) if current is not None else []
        self._pods = pods
        self._causes = diagnosis.causes(
            self._patched, current, pods, state.events.values(), earlier=self._earlier
        )
        return rollout.judge(
            state.workload,
            wanted=self._wanted,
            generation=objects.generation(self._patched),
            uid=objects.uid(self._patched),
            pods=pods,
            causes=self._causes,
        )

    def _replica_set(self, state: Newest) -> Object | None:
        for replica_set in state.replica_sets.values():
            if (
                objects.is_controlled_by(replica_set, objects.uid(self._patched))
                and template.digest(replica_set["spec"]["template"]) == self._wanted
            ):
                return replica_set
        return None

    def _tell_progress(self, verdict: Progressing, state: Newest) -> None:
        """Say one line a change; a change of a counter is progress for the deadline."""
        status = objects.dig(state.workload, "status", default={})
        keys = ("observedGeneration", "replicas", "updatedReplicas", "availableReplicas")
        counters = tuple(status.get(k) for k in keys)
        if counters != self._counters:
            self._counters, self._moved_at = counters, self._clock()
        if verdict.message != self._said:
            self._said = verdict.message
            self._run.say("progress", verdict.message)

    def _tell_causes(self) -> None:
        """Say every cause once when it is suspected, and once when it is final."""
        for cause in self._causes:
            key = (cause.code, cause.uid, str(cause.is_final))
            if key not in self._told:
                self._told.add(key)
                say_cause(self._run, cause)

    def _say_missing(self, state: Newest) -> None:
        """Say once what may not be watched: it cannot be verified, and the rest goes on."""
        for resource, why in state.missing.items():
            if ("missing", resource) not in self._told:
                self._told.add(("missing", resource))
                self._run.say("note", f"{resource} cannot be watched: {why}")

    def _progress_deadline(self) -> float:
        seconds = progress_deadline(self._patched)
        return self._deadline if seconds is None else self._moved_at + seconds

    def _root(self) -> str:
        """Return the root cause as the end of a sentence; empty where none is known."""
        if not self._causes:
            return ""
        return f"; {self._causes[0].subject}: {self._causes[0].message}"

    def _no_progress(self) -> Failed:
        seconds = progress_deadline(self._patched)
        return Failed(
            message=f"no progress for {seconds} s (progressDeadlineSeconds){self._root()}",
            causes=self._causes,
        )


def _blindness(state: Newest) -> str:
    """Return why nothing can be judged now; empty where all that a verdict needs is seen."""
    if "deployments" in state.interrupted:
        return state.interrupted["deployments"]
    if not state.is_complete:
        return next(iter(state.interrupted.values()), "no answer")
    return ""


def progress_deadline(workload: Object) -> int | None:
    """Return progressDeadlineSeconds, None where there is none; 600 is the API's default."""
    seconds = int(objects.dig(workload, "spec", "progressDeadlineSeconds", default=600))
    return None if seconds >= NO_DEADLINE else seconds


def say_cause(run: Run, cause: Cause) -> None:
    """Say why something is not ready, once it is suspected."""
    run.say(
        "cause",
        f"{cause.subject}: {cause.message}",
        code=cause.code,
        evidence=cause.evidence,
        remedy=cause.remedy,
        final=cause.is_final,
    )


async def watch(
    run: Run, patched: Object, *, wanted: str, deadline: float, earlier: Before
) -> tuple[Verdict, Mapping[str, str]]:
    """Return the verdict on the rollout that our PATCH began, by `deadline` (event-loop time).

    With it come the digests of the images that its Ready Pods run, by container.
    `earlier` is how its Pods were before: what was broken then is not blamed on the rollback.
    """
    one = Watch(run, patched, wanted=wanted, deadline=deadline, earlier=earlier)
    verdict = await one.verdict()
    if isinstance(verdict, Complete):
        run.say("rolled_out", verdict.message)
    return verdict, one.images
