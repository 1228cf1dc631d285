"""Samples -> Healthy | Unhealthy | Inconclusive.

An answer that could not be had is Inconclusive, never bad: a proxy error of the API server does
not make a Pod unhealthy (design rule 8.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_FOUND = 404


class Answer(StrEnum):
    """What one health request says: the application is well, is not, or could not be asked."""

    WELL = "well"
    UNWELL = "unwell"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One health request: `subject` was asked (a Pod, a Service, a URL), `detail` in words.

    `status` is the HTTP status, None where no response of the application arrived. `is_forbidden`:
    we may not ask, and asking again does not change that.
    """

    subject: str
    answer: Answer
    detail: str
    status: int | None = None
    is_forbidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Healthy:
    """Every subject answered well, `successes` times in a row."""

    successes: int
    subjects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unhealthy:
    """The last answer of some subject was not well; `why` names it."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Inconclusive:
    """Health could not be decided; `why` says what was missing."""

    why: str


Health = Healthy | Unhealthy | Inconclusive


def from_status(subject: str, status: int, *, guessed_path: bool) -> Sample:
    """Return the sample for an HTTP status: 200-299 is well, 400 and above is not.

    A 404 on a path that nobody configured says nothing about the application, and neither does a
    redirect: it is not followed, and what it leads to was not asked.
    """
    detail, answer = f"HTTP {status}", Answer.UNWELL
    if 200 <= status < 300:  # noqa: PLR2004
        answer = Answer.WELL
    elif 300 <= status < 400:  # noqa: PLR2004
        detail, answer = f"{detail}: redirects are not followed", Answer.UNKNOWN
    elif status == NOT_FOUND and guessed_path:
        detail, answer = f"{detail} on a guessed path", Answer.UNKNOWN
    return Sample(subject=subject, answer=answer, detail=detail, status=status)


def judge(rounds: Sequence[Sequence[Sample]], *, successes: int) -> Health | None:
    """Return Healthy once every sample of the last `successes` rounds is well, else None.

    A round holds one sample a subject.
    """
    recent = rounds[-successes:]
    if len(recent) < successes or not all(recent):
        return None
    if any(s.answer is not Answer.WELL for one in recent for s in one):
        return None
    return Healthy(successes=successes, subjects=tuple(s.subject for s in recent[-1]))


def at_deadline(rounds: Sequence[Sequence[Sample]]) -> Unhealthy | Inconclusive:
    """Return the verdict when time is up: the newest round decides, unwell outranks unknown."""
    newest = rounds[-1] if rounds else ()
    for answer, verdict in ((Answer.UNWELL, Unhealthy), (Answer.UNKNOWN, Inconclusive)):
        for sample in newest:
            if sample.answer is answer:
                return verdict(why=f"{sample.subject}: {sample.detail}")
    return Inconclusive(
        why="the answers were well, but not often enough in a row before time ran out"
    )
