"""Samples -> Healthy | Unhealthy | Inconclusive.

An answer that could not be had is Inconclusive, never bad: a proxy error of the API server does
not make a Pod unhealthy (design rule 8.7).
"""

from __future__ import annotations

import itertools
import math
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMED = 3
"""Subjects that a verdict names."""


class Answer(StrEnum):
    """What one health request says: the application is well, is not, or could not be asked."""

    WELL = "well"
    UNWELL = "unwell"
    UNKNOWN = "unknown"


class Sample(Struct, frozen=True, kw_only=True):
    """One health request: `subject` was asked (a Pod, a Service, a URL), `detail` in words.

    `status` is the HTTP status, None where no response of the application arrived. `is_forbidden`:
    we may not ask, and asking again does not change that. `is_guess`: backout guessed what to ask,
    so that nothing bad follows from the answer. `is_misasked`: the application answers the
    kubelet's question otherwise, and the kubelet's own answer is the word. `is_absent`: no probe
    names what was asked, and it is not there. `milliseconds`: how long the answer took. `lines` are
    the last ones of a command's output.
    """

    subject: str
    answer: Answer
    detail: str
    status: int | None = None
    is_forbidden: bool = False
    is_guess: bool = False
    is_misasked: bool = False
    is_absent: bool = False
    milliseconds: int = 0
    lines: tuple[str, ...] = ()


class Round(Struct, frozen=True, kw_only=True):
    """Every subject asked once; the answers were there `at` so many seconds of one clock."""

    at: float
    samples: tuple[Sample, ...]


class Healthy(Struct, frozen=True, kw_only=True):
    """Every subject answered well, `successes` times in a row; why others were not asked."""

    successes: int
    subjects: tuple[str, ...]
    unasked: tuple[str, ...] = ()

    @property
    def proof(self) -> str:
        """What shows it, in words."""
        often = f" {self.successes} times in a row" if self.successes > 1 else ""
        return f"{', '.join(self.subjects)} answered well{often}"


class Unhealthy(Struct, frozen=True, kw_only=True):
    """The last answer of some subject was not well; `why` names it, `also` further ones."""

    why: str
    also: tuple[str, ...] = ()


class Inconclusive(Struct, frozen=True, kw_only=True):
    """Health could not be decided; `why` says what was missing, `also` what else was."""

    why: str
    also: tuple[str, ...] = ()


Health = Healthy | Unhealthy | Inconclusive


def progress(rounds: Sequence[Round], *, successes: int, soak: float, interval: float) -> str:
    """Return how many of the newest rounds are well, of how many it takes: `3/6`.

    Rounds that take longer than the interval span the soak time in fewer.
    """
    needed = max(successes, math.ceil(soak / interval) + 1)
    row = itertools.takewhile(_is_well, reversed(rounds))
    return f"{min(sum(1 for _ in row), needed)}/{needed}"


def _is_well(one: Round) -> bool:
    return bool(one.samples) and all(s.answer is Answer.WELL for s in one.samples)


def judge(rounds: Sequence[Round], *, successes: int, soak: float = 0.0) -> Healthy | None:
    """Return Healthy once the newest rounds are all well: so many, that span `soak` seconds.

    One answer that is not well starts the row again.
    """
    for row, one in enumerate(reversed(rounds), 1):
        if not _is_well(one):
            return None
        if row >= successes and rounds[-1].at - one.at >= soak:
            return Healthy(successes=row, subjects=tuple(s.subject for s in rounds[-1].samples))
    return None


def is_in_vain(rounds: Sequence[Round], *, successes: int) -> bool:
    """Tell whether the newest rounds, so many, only missed what nobody named."""
    recent = rounds[-successes:]
    return len(recent) == successes and all(s.is_absent for one in recent for s in one.samples)


def misasked(rounds: Sequence[Round], *, successes: int) -> tuple[Sample, ...]:
    """Return the newest samples of the subjects that were not asked as the kubelet asks.

    In as many rounds, one after the other, as a success needs: a single odd answer is no rule.
    """
    recent = rounds[-successes:]
    if len(recent) < successes:
        return ()
    always = [{s.subject for s in one.samples if s.is_misasked} for one in recent]
    return tuple(s for s in recent[-1].samples if s.subject in set.intersection(*always))


def at_deadline(
    rounds: Sequence[Round], *, before: Sequence[Sample] = ()
) -> Unhealthy | Inconclusive:
    """Return the verdict when time is up: the newest round decides, unwell outranks unknown.

    `before` are the answers before the rollback: it is not to blame for what was so then. What was
    guessed makes nothing unhealthy: the kubelet, whose probe is asked here by another way, has kept
    the Pods Ready all the time, or the rollout would not be complete.
    """
    newest = rounds[-1].samples if rounds else ()
    earlier = {s.subject: s.answer for s in before}
    bad = [s for s in newest if s.answer is Answer.UNWELL and not s.is_guess]
    open_ = [s for s in newest if s.answer is not Answer.WELL and s not in bad]
    for verdict, found in ((Unhealthy, bad), (Inconclusive, open_)):
        if found:
            words = [_told(s, earlier.get(s.subject)) for s in found[:MOST_NAMED]]
            more = len(found) - len(words)
            return verdict(why=words[0], also=(*words[1:], *([f"and {more} more"] if more else [])))
    return Inconclusive(
        why="the answers were well, but not often enough in a row before time ran out"
    )


def _told(sample: Sample, earlier: Answer | None) -> str:
    also = " (was already so before the rollback)" if earlier is sample.answer else ""
    is_contradicted = sample.is_guess and sample.answer is Answer.UNWELL
    against = ", while the kubelet finds its Pods Ready" if is_contradicted else ""
    return f"{sample.subject}: {sample.detail}{against}{also}"
