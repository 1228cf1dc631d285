"""How far a rollback has come, and how it ends when something ends it: stage + why -> LastWord.

One union, advanced in one place; what must be said and written at each stage stands in one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from msgspec.structs import replace

from backout.core.ledger.edits import Edit, both, closed, stored, unchanged
from backout.core.ledger.records import State
from backout.core.outcome import Outcome, Result

if TYPE_CHECKING:
    from backout.core.errors import BackoutError
    from backout.core.model import Object


class Applied(Struct, frozen=True, kw_only=True):
    """The PATCH landed. `workload` is as the server returned it, None where its answer was lost."""

    workload: Object | None


class Stale(Struct, frozen=True, kw_only=True):
    """The workload is no longer what the plan was made for; nothing was changed."""

    why: str


class NotApplied(Struct, frozen=True, kw_only=True):
    """The PATCH certainly did not land; `error` says why."""

    error: BackoutError


class Undecided(Struct, frozen=True, kw_only=True):
    """It cannot be told whether the PATCH landed; `why` says what stood against it.

    `may_settle`: it can be found out later, so the INTENT stays open for the next run.
    """

    why: str
    may_settle: bool


Act = Applied | Stale | NotApplied | Undecided


class Planned(Struct, frozen=True, kw_only=True):
    """Nothing was written."""


class MayHold(Struct, frozen=True, kw_only=True):
    """The write that takes the lock with the intent may have left."""


class Holding(Struct, frozen=True, kw_only=True):
    """The lock is ours, the intent is written, and no PATCH is under way."""


class MayHaveSent(Struct, frozen=True, kw_only=True):
    """The PATCH may have left, and nothing is known of it."""


class Answered(Struct, frozen=True, kw_only=True):
    """It is known what became of the PATCH, or that it cannot be known."""

    act: Act


class Healed(Struct, frozen=True, kw_only=True):
    """The PATCH landed, and the second write is over: the template's fields are handed back.

    `edit` is what the record becomes by that: what is needed for it is kept where it failed.
    """

    workload: Object
    edit: Edit


class Judged(Struct, frozen=True, kw_only=True):
    """The rollout and the service were judged: how it ends is known, and what is to be written."""

    outcome: Outcome
    edit: Edit


Stage = Planned | MayHold | Holding | MayHaveSent | Answered | Healed | Judged


class CutShort(Struct, frozen=True, kw_only=True):
    """A signal, or a time limit of the whole."""


class Stopped(Struct, frozen=True, kw_only=True):
    """An error, ours or the API server's."""

    error: BackoutError


Why = CutShort | Stopped


class LastWord(Struct, frozen=True, kw_only=True):
    """How it ends, and what the record becomes as the lock is let go; None: there is none."""

    outcome: Outcome
    edit: Edit | None


class Words(Struct, frozen=True, kw_only=True):
    """What the last word names: the workload, the revision, and the line that goes on with it."""

    target: str
    revision: int
    resume: str


def ended(stage: Stage, why: Why, words: Words) -> LastWord:
    """Return how a rollback ends that something ends at this stage."""
    match stage:
        case Planned():
            return _unchanged(why, None)
        case MayHold() | Holding():
            return _unchanged(why, _not_applied(why))
        case MayHaveSent():
            return LastWord(outcome=_unknown(why, _reason(why, unsent=True), words), edit=unchanged)
        case Answered(act=act):
            return _known(act, why, words)
        case Healed(workload=workload, edit=edit):
            return LastWord(outcome=_left_open(why, words), edit=both(stored(workload), edit))
        case Judged(outcome=outcome, edit=edit):
            return LastWord(outcome=_judged(outcome, why), edit=edit)
        case _ as unreachable:
            assert_never(unreachable)


def _known(act: Act, why: Why, words: Words) -> LastWord:
    match act:
        case Applied(workload=workload):
            return LastWord(outcome=_left_open(why, words), edit=stored(workload))
        case Stale(why=stale):
            return _unchanged(why, closed(State.NOT_APPLIED, verdict=stale))
        case NotApplied(error=error):
            cause = why if isinstance(why, CutShort) else Stopped(error=error)
            return _unchanged(cause, _not_applied(cause))
        case Undecided(why=unclear, may_settle=may_settle):
            edit = closed(State.UNDECIDED, verdict=f"cannot be told: {unclear}")
            outcome = _unknown(why, unclear, words)
            return LastWord(outcome=outcome, edit=unchanged if may_settle else edit)
        case _ as unreachable:
            assert_never(unreachable)


def _unchanged(why: Why, edit: Edit | None) -> LastWord:
    match why:
        case CutShort():
            words = "interrupted: nothing was changed"
            return LastWord(outcome=Outcome(result=Result.INTERRUPTED, message=words), edit=edit)
        case Stopped(error=error):
            outcome = Outcome(
                result=Result.NOT_CHANGED,
                message=error.message,
                also=("nothing was changed",),
                remedy=error.remedy,
            )
            return LastWord(outcome=outcome, edit=edit)
        case _ as unreachable:
            assert_never(unreachable)


def _left_open(why: Why, words: Words) -> Outcome:
    """Return the outcome of a PATCH that landed and whose rollout was not watched to its end."""
    return Outcome(
        result=_result(why),
        message=_reason(why),
        also=(
            f"{words.target} was set to revision {words.revision}",
            "its rollout was not watched to the end",
        ),
        remedy=f"watch it to its end: {words.resume}",
    )


def _unknown(why: Why, reason: str, words: Words) -> Outcome:
    """Return the outcome of a PATCH of which it is not known whether it landed."""
    return Outcome(
        result=_result(why),
        message=f"it is not known whether {words.target} was changed: {reason}",
        remedy=f"find out, and go on with it: {words.resume}",
    )


def _judged(outcome: Outcome, why: Why) -> Outcome:
    """Return what was judged: only an interruption outranks it, and says so."""
    if isinstance(why, Stopped):
        return outcome
    words = f"interrupted after the verdict: {outcome.message}"
    return replace(outcome, result=Result.INTERRUPTED, message=words)


def _not_applied(why: Why) -> Edit:
    verdict = "interrupted" if isinstance(why, CutShort) else why.error.message
    return closed(State.NOT_APPLIED, verdict=verdict)


def _result(why: Why) -> Result:
    return Result.INTERRUPTED if isinstance(why, CutShort) else Result.UNDECIDED


def _reason(why: Why, *, unsent: bool = False) -> str:
    match why:
        case CutShort():
            return "interrupted while finding out" if unsent else "interrupted"
        case Stopped(error=error):
            return error.message if unsent else f"stopped: {error.message}"
        case _ as unreachable:
            assert_never(unreachable)
