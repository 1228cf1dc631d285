"""How a rollout ended and how its service is: a result and sentences, for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from backout.core.health.judgement import Inconclusive, Unhealthy
from backout.core.outcome import Result
from backout.core.rollout.verdict import Failed, Superseded, Unknown

if TYPE_CHECKING:
    from backout.core.rollout.verdict import Verdict


def unfinished(verdict: Verdict) -> tuple[Result, str, tuple[str, ...]]:
    """Return what a rollout came to that is not complete: in a word, and what is said after why."""
    match verdict:
        case Failed(also=also):
            return Result.FAILED, "failed", also
        case Superseded():
            return Result.UNDECIDED, "superseded", ()
        case Unknown(also=also):
            return Result.UNDECIDED, "undecided", also
        case _:
            return Result.UNDECIDED, "undecided", ()


def unwell(start: str, health: Unhealthy | Inconclusive) -> tuple[Result, tuple[str, ...]]:
    """Return what became of a complete rollout, told by `start`, that did not answer well."""
    match health:
        case Unhealthy(why=why, also=also):
            return Result.FAILED, (f"{start}, and unhealthy: {why}", *also)
        case Inconclusive(why=why, also=also):
            return Result.UNDECIDED, (start, f"health is inconclusive: {why}", *also)
        case _ as unreachable:
            assert_never(unreachable)


def not_verified(start: str, why: str, *, is_required: bool) -> tuple[Result, tuple[str, ...]]:
    """Return what became of a complete rollout, told by `start`, where nothing could be asked."""
    return unproven(start, f"not verified end to end: {why}", is_required=is_required)


def unproven(*sentences: str, is_required: bool) -> tuple[Result, tuple[str, ...]]:
    """Return what became of a complete rollout whose health is not known in full.

    It is well, but where somebody requires to know.
    """
    if not is_required:
        return Result.SUCCEEDED, sentences
    *most, last = sentences
    return Result.UNDECIDED, (*most, f"{last} (--require-health)")
