"""Verifies: the same end-to-end questions until the answers have held. Rolled out is not recovered.

Whatever can be asked is one more Subject; every one of them must be well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.events.told import Noted
from backout.core.events.watching import HealthAnswered, HealthRepeated
from backout.core.health import judgement
from backout.core.health.judgement import Answer, Healthy, Round, Sample
from backout.core.rights import permissions
from backout.steps.asking.subjects import NotVerified, Subject, answered, chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backout.core.health.judgement import Health
    from backout.core.preflight.snapshot import Preflight
    from backout.steps.run import Run

__all__ = ["Asking", "NotVerified", "probe"]


async def probe(
    run: Run, preflight: Preflight, *, deadline: float, counted: Callable[[str], None]
) -> Health | NotVerified:
    """Return the service's health, asked once an interval until it held or `deadline`.

    `deadline` is event-loop time; what has not answered by then is cut off. `counted` is told after
    each round how many were well, of how many it takes.
    """
    questions = await chosen(run, preflight.snapshot, preflight.destination)
    if not questions.subjects:
        return questions.unasked[0]
    asking = Asking(run, questions.subjects, before=preflight.snapshot.baseline, counted=counted)
    for one in questions.unasked:
        run.say(Noted(message=f"not asked for health: {one.why}"))
    verdict = await asking.verdict(deadline)
    if isinstance(verdict, Healthy):
        unasked = (*questions.unasked, *asking.dropped)
        return replace(verdict, unasked=tuple(one.why for one in unasked))
    return verdict


def _unheard(_: str) -> None:
    """Tell nobody: a trial Pod is asked in a moment."""


class Asking:
    """One loop of questions. `dropped` are the subjects that it does not ask any more, and why."""

    def __init__(
        self,
        run: Run,
        subjects: tuple[Subject, ...],
        *,
        before: tuple[Sample, ...] = (),
        counted: Callable[[str], None] = _unheard,
    ) -> None:
        self._run = run
        self._subjects = subjects
        self._before = before
        self._counted = counted
        self._rounds: list[Round] = []
        self._said: dict[str, tuple[Answer, str]] = {}
        self._clock = asyncio.get_running_loop().time
        self.dropped: tuple[NotVerified, ...] = ()

    async def verdict(self, deadline: float) -> Health | NotVerified:
        """Ask until the answers have held, or `deadline`; asked again it goes on from there."""
        run, successes = self._run, self._run.policy.successes
        while True:
            began = self._clock()
            is_whole = await self._round(deadline)
            self._drop_misasked()
            if not self._subjects:
                return self.dropped[0]
            if not is_whole:
                return self._out_of_time()
            soak, interval = run.limits.health_soak, run.limits.health_interval
            found = judgement.judge(self._rounds, successes=successes, soak=soak)
            self._counted(
                judgement.progress(self._rounds, successes=successes, soak=soak, interval=interval)
            )
            if found is not None:
                return found
            next_round = began + interval
            in_vain = judgement.is_in_vain(self._rounds, successes=successes)
            if in_vain or next_round >= deadline:
                return self._out_of_time()
            await asyncio.sleep(max(0.0, next_round - self._clock()))

    async def _round(self, deadline: float) -> bool:
        """Ask every subject once; tell whether all of them answered before the deadline."""
        answers = await asyncio.gather(*(answered(s, deadline=deadline) for s in self._subjects))
        pairs = list(zip(self._subjects, answers, strict=True))
        samples = tuple(answer or self._newest(subject) for subject, answer in pairs)
        self._tell(samples)
        self._drop([s for s in samples if s.is_forbidden])
        kept = tuple(s for s in samples if not s.is_forbidden)
        self._rounds.append(Round(at=self._clock(), samples=kept))
        return None not in answers

    def _drop_misasked(self) -> None:
        """Leave out what answers us otherwise than the kubelet: its answer is the word."""
        found = judgement.misasked(self._rounds, successes=self._run.policy.successes)
        if found:
            self._drop(found)
            self._rounds.clear()

    def _drop(self, samples: Sequence[Sample]) -> None:
        gone = {s.subject for s in samples}
        self._subjects = tuple(s for s in self._subjects if s.name not in gone)
        self.dropped += tuple(_dropped(s) for s in samples)

    def _newest(self, subject: Subject) -> Sample:
        """Return the last answer of a subject that was cut off by the deadline."""
        for sample in self._rounds[-1].samples if self._rounds else ():
            if sample.subject == subject.name:
                return sample
        words = "no answer before time ran out"
        return Sample(subject=subject.name, answer=Answer.UNKNOWN, detail=words)

    def _out_of_time(self) -> Health:
        return judgement.at_deadline(self._rounds, before=self._before)

    def _tell(self, samples: tuple[Sample, ...]) -> None:
        """Say each sample that differs from the one before; equal ones are for the journal only."""
        for sample in samples:
            words = (sample.answer, sample.detail)
            is_repeated = self._said.get(sample.subject) == words
            self._run.say(_answered(sample, HealthRepeated if is_repeated else HealthAnswered))
            self._said[sample.subject] = words


def _dropped(sample: Sample) -> NotVerified:
    why = f"{sample.subject}: {sample.detail}"
    if sample.is_forbidden:
        return NotVerified(why=why, remedy=permissions.remedy("services/proxy"))
    return NotVerified(why=why, probe="HTTP")


def _answered(sample: Sample, kind: type[HealthAnswered]) -> HealthAnswered:
    return kind(
        message=f"{sample.subject}: {sample.detail}",
        subject=sample.subject,
        answer=str(sample.answer),
        status=sample.status,
        milliseconds=sample.milliseconds,
        lines=sample.lines,
    )
