"""How a rollout ended and how its service is: a result and words, the same for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from backout.core.health.judgement import Inconclusive, Unhealthy
from backout.core.outcome import Result
from backout.core.rollout.verdict import Failed, Superseded

if TYPE_CHECKING:
    from backout.core.rollout.verdict import Verdict


def unfinished(verdict: Verdict) -> tuple[Result, str]:
    """Return what a rollout came to that is not complete, in a word."""
    match verdict:
        case Failed():
            return Result.FAILED, "failed"
        case Superseded():
            return Result.UNDECIDED, "superseded"
        case _:
            return Result.UNDECIDED, "undecided"


def unwell(health: Unhealthy | Inconclusive) -> tuple[Result, str]:
    """Return what is said behind `rolled out` where the service did not answer well."""
    match health:
        case Unhealthy(why=why):
            return Result.FAILED, f", and unhealthy: {why}"
        case Inconclusive(why=why):
            return Result.UNDECIDED, f"; health is inconclusive: {why}"
        case _ as unreachable:
            assert_never(unreachable)


def not_verified(why: str, *, is_required: bool) -> tuple[Result, str]:
    """Return what is said behind `rolled out` where nothing could be asked."""
    words = f"; not verified end to end: {why}"
    if is_required:
        return Result.UNDECIDED, f"{words} (--require-health)"
    return Result.SUCCEEDED, words
