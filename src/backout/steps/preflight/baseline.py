"""Asks before acting what will be asked after it: what was broken then is nobody's new fault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.health.judgement import Answer, Sample
from backout.steps.asking.subjects import answered, chosen

if TYPE_CHECKING:
    from backout.core.model import Revision
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


class Baseline(Struct, frozen=True, kw_only=True):
    """One answer of each subject before the rollback; `hidden` says why there is none that counts.

    Both empty: nobody wanted to know.
    """

    samples: tuple[Sample, ...] = ()
    hidden: str = ""


async def baseline(run: Run, snapshot: Snapshot, revision: Revision) -> Baseline:
    """Return what the service says now, within the preflight budget."""
    if not run.policy.baseline:
        return Baseline()
    questions = await chosen(run, snapshot, revision, at_once=True)
    if not questions.subjects:
        return Baseline(hidden=questions.unasked[0].why if questions.unasked else "")
    budget = run.limits.preflight
    deadline = asyncio.get_running_loop().time() + budget
    answers = await asyncio.gather(*(answered(s, deadline=deadline) for s in questions.subjects))
    samples = tuple(
        answer or _late(subject.name, budget)
        for subject, answer in zip(questions.subjects, answers, strict=True)
    )
    return Baseline(samples=samples, hidden=_hidden(samples))


def _late(subject: str, budget: float) -> Sample:
    words = f"no answer within the preflight budget, {budget:g} s"
    return Sample(subject=subject, answer=Answer.UNKNOWN, detail=words)


def _hidden(samples: tuple[Sample, ...]) -> str:
    """Return what keeps the answers from telling how the service was."""
    if any(s.answer is Answer.UNWELL for s in samples):
        return ""
    return next((f"{s.subject}: {s.detail}" for s in samples if s.answer is Answer.UNKNOWN), "")
