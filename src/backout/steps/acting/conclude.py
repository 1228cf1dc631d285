"""From verdict and health to the outcome's words and the record's last state."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from backout.core.checks.ownership import REVERTS
from backout.core.diagnosis.condemning import condemns
from backout.core.diagnosis.stuck import CODE as STUCK
from backout.core.health.judgement import Healthy, Inconclusive, Unhealthy
from backout.core.ledger.edits import Edit, applied, closed
from backout.core.ledger.records import State
from backout.core.outcome import Outcome, Result
from backout.core.rollout.ending import not_verified, unfinished, unproven, unwell
from backout.core.rollout.verdict import Complete, Failed, Superseded, Unknown
from backout.steps.asking.subjects import NotVerified

if TYPE_CHECKING:
    from backout.core.plan.plan import Plan
    from backout.steps.run import Run
    from backout.steps.watching.soak import Ending


_STATES = {
    Result.SUCCEEDED: State.SUCCEEDED,
    Result.FAILED: State.FAILED,
    Result.UNDECIDED: State.UNDECIDED,
}


def conclude(run: Run, plan: Plan, ending: Ending, seconds: float) -> tuple[Outcome, Edit]:
    """Return the outcome and the edit that closes the record with it.

    A rollout that was not finished when time was up stays open: the next run goes on with it. So
    does one that a Pod holds up: whoever deletes that finishes it.
    """
    result, words = _judged(run, ending)
    first, *rest = words
    number = plan.preflight.destination.number
    verdict = type(ending.verdict).__name__
    health = type(ending.health).__name__ if ending.health is not None else ""
    causes = _causes(ending)
    outcome = Outcome(
        result=result,
        message=f"{run.target} {_done(result)} revision {number}{_now(ending, number)}",
        also=(f"{first} ({seconds:.1f} s)", *rest),
        verdict=verdict,
        health=health,
        remedy=_remedy(run, plan, ending),
    )
    if isinstance(ending.verdict, Unknown):
        return replace(outcome, remedy=f"watch it to its end: {resume_line(run)}"), applied
    if _is_held_up(ending):
        return replace(outcome, remedy=_freeing(run, ending)), applied
    facts = {
        "verdict": verdict,
        "health": health,
        "causes": causes,
        "condemns": _condemns(run, ending),
    }
    return outcome, closed(_STATES[result], images=ending.images, **facts)


def _is_held_up(ending: Ending) -> bool:
    causes = getattr(ending.verdict, "causes", ())
    return isinstance(ending.verdict, Failed) and any(
        c.code == STUCK and c.is_final for c in causes
    )


def _freeing(run: Run, ending: Ending) -> str:
    """Return how to go on where a Pod holds the rollback up: by us, where deleting it is enough."""
    cause = next(c for c in getattr(ending.verdict, "causes", ()) if c.code == STUCK)
    if cause.is_ours_to_end and not run.policy.replace_stuck_pods:
        return f"{cause.remedy}, or go on with it: {resume_line(run)} --replace-stuck-pods"
    return f"{cause.remedy}; then go on with it: {resume_line(run)}"


def _condemns(run: Run, ending: Ending) -> bool:
    """Tell whether the failure is the template's own fault: then it is remembered as bad.

    With --fail-fast what was suspected was taken for certain: nothing is learned from that.
    """
    is_certain = isinstance(ending.verdict, Failed) and not run.policy.fail_fast
    return is_certain and condemns(getattr(ending.verdict, "causes", ()))


def resume_line(run: Run) -> str:
    """Return the line that goes on with a rollback that was left open."""
    line = (
        f"{run.policy.program} resume {run.target} -n {run.target.namespace} {run.kubectl_context}"
    )
    return line.rstrip()


def not_recorded(outcome: Outcome) -> Outcome:
    """Return the outcome of a rollback whose record is still open: undecided for a script."""
    if outcome.result is not Result.SUCCEEDED:
        return outcome
    also = (*outcome.also, "but its record could not be closed")
    return replace(outcome, result=Result.UNDECIDED, also=also)


def _judged(run: Run, ending: Ending) -> tuple[Result, tuple[str, ...]]:
    """Return what became of it, and why in sentences."""
    verdict, start = ending.verdict, "rolled out"
    if not isinstance(verdict, Complete):
        result, word, also = unfinished(verdict)
        whose = "its rollout " if isinstance(verdict, Failed) else ""
        return result, (f"{whose}{word}: {verdict.message}", *also)
    match ending.health:
        case Healthy():
            return _healthy(run, ending.health)
        case Unhealthy() | Inconclusive():
            return unwell(start, ending.health)
        case NotVerified() | None:
            why = ending.health.why if ending.health is not None else "nothing was asked"
            return not_verified(start, why, is_required=run.policy.require_health)
        case _ as unreachable:
            assert_never(unreachable)


def _healthy(run: Run, health: Healthy) -> tuple[Result, tuple[str, ...]]:
    words = f"healthy: {health.proof}"
    if not health.unasked:
        return Result.SUCCEEDED, (words,)
    first, *rest = health.unasked
    is_required = run.policy.require_health
    return unproven(words, f"not asked: {first}", *rest, is_required=is_required)


def _done(result: Result) -> str:
    return "rolled back to" if result is Result.SUCCEEDED else "was set to"


def _now(ending: Ending, number: int) -> str:
    """Return the number that the revision has now, where it is another: it was made the newest."""
    now = ending.revision
    return f", now revision {now}" if now is not None and now != number else ""


def _causes(ending: Ending) -> tuple[str, ...]:
    found = getattr(ending.verdict, "causes", ())
    return tuple(f"{c.code} {c.subject}: {c.message}"[:256] for c in found[:5])


def _remedy(run: Run, plan: Plan, ending: Ending) -> str:
    found = getattr(ending.verdict, "causes", ())
    if found:
        return str(found[0].remedy)
    if isinstance(ending.health, Unhealthy):
        return "look at what the service depends on: the template may not be the cause"
    if isinstance(ending.health, NotVerified):
        return ending.health.remedy
    if isinstance(ending.health, Inconclusive):
        return "ask the service yourself, or name another address: --health URL"
    if isinstance(ending.verdict, Complete):
        return ""
    if isinstance(ending.verdict, Superseded):
        ways = [f.remedy for f in plan.accepted if f.id == REVERTS.id]
        if ways:
            return ways[0]
    return f"look at it: kubectl describe {run.target} -n {run.target.namespace}"
