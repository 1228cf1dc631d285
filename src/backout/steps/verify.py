"""Verifies a rollout to its end, asks the service, and remembers that it was healthy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.checks.breaker import held_by
from backout.core.diagnosis.groups import patience
from backout.core.errors import BackoutError, Unreachable
from backout.core.events.acting import Recorded
from backout.core.events.told import Noted, Warned
from backout.core.health.judgement import Healthy, Inconclusive, Unhealthy
from backout.core.history import revisions
from backout.core.history.choice import Choice
from backout.core.kubernetes import template
from backout.core.ledger import again
from backout.core.ledger.memory import recorded
from backout.core.model import Revision
from backout.core.outcome import Outcome, Result
from backout.core.preflight.snapshot import Preflight
from backout.core.references.references import versions
from backout.core.rollout.ending import not_verified, unwell
from backout.core.rollout.verdict import Complete
from backout.steps.asking.subjects import NotVerified
from backout.steps.ledger.lease import ATTEMPTS, put_beside, see
from backout.steps.reading.look import look
from backout.steps.reading.read import read
from backout.steps.reading.references import read_versioned
from backout.steps.reading.way_back import tell_way_back
from backout.steps.status import check_revision, since_its_beginning, tell_seen, told
from backout.steps.watching.soak import settled
from backout.steps.watching.watch import Watch, Watched, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.ledger.records import Remembered
    from backout.core.model import Object
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run
    from backout.steps.watching.soak import Ending


async def verify(run: Run, *, number: int | None) -> Outcome:
    """Return how the current rollout and the service's health end; remember it where healthy.

    `number` pins a revision. The lock is left as it is. Raises ConfigError where the pinned
    revision is not the current one, and what reading raises.
    """
    since = asyncio.get_running_loop().time()
    snapshot = await read(run, chooses=False)
    check_revision(snapshot, number)
    tell_seen(run, snapshot)
    workload = snapshot.workload
    watched = Watched(
        workload=workload,
        wanted=template.digest(workload["spec"]["template"]),
        earlier=since_its_beginning(snapshot),
        fail_fast=run.policy.fail_fast,
        patience=patience(run.policy.patience),
    )
    deadline = until(run, since)
    preflight = _preflight(run, snapshot)
    async with Watch(run, watched, deadline=deadline) as watch:
        ending = await settled(run, watch, preflight, deadline=deadline)
    outcome, proof = _judged(run, preflight, ending)
    await tell_way_back(run, outcome)
    if not proof:
        return outcome
    return await _remembered(run, preflight.destination, ending, outcome, proof)


def _preflight(run: Run, snapshot: Snapshot) -> Preflight:
    """Return what the health request looks at: the current revision is the target of the words."""
    now = revisions.current(snapshot.revisions) or _not_yet(snapshot.workload)
    return Preflight(
        snapshot=snapshot,
        policy=run.policy,
        revisions=snapshot.revisions,
        choice=Choice(revision=now, why="it is current", proven=False),
    )


def _not_yet(workload: Object) -> Revision:
    """Return the revision that the controller has not made: its number is not known."""
    pods = workload["spec"]["template"]
    return Revision(
        number=0,
        stored={},
        template=pods,
        hash=template.digest(pods),
        change_cause="",
        created=None,
        pods=(),
        ready=0,
        is_current=True,
    )


def _judged(run: Run, preflight: Preflight, ending: Ending) -> tuple[Outcome, str]:
    """Return the outcome, and what proves that it is healthy: empty where nothing does."""
    outcome = told(run, ending.verdict)
    if not isinstance(ending.verdict, Complete):
        return outcome, ""
    start = f"{run.target} is rolled out"
    also: list[str] = []
    match ending.health:
        case Healthy() as healthy:
            proof = healthy.proof
            words, result = f"{start} and healthy: {proof}", Result.SUCCEEDED
        case Unhealthy() | Inconclusive() as bad:
            result, (words, *also) = unwell(start, bad)
            proof = ""
        case unasked:
            return _unasked(run, preflight, outcome, unasked or NotVerified(why="nothing asked"))
    health = type(ending.health).__name__
    return replace(outcome, message=words, also=tuple(also), result=result, health=health), proof


def _unasked(
    run: Run, preflight: Preflight, outcome: Outcome, unasked: NotVerified
) -> tuple[Outcome, str]:
    """Judge where no request could tell: the kubelet's own answer will do where there is one."""
    why, probe = unasked.why, unasked.probe
    start = f"{run.target} is rolled out"
    is_required = run.policy.require_health
    result, (first, *also) = not_verified(start, why, is_required=is_required)
    outcome = replace(outcome, message=first, also=tuple(also), result=result)
    if is_required:
        return outcome, ""
    if probe and preflight.replicas:
        run.say(Noted(message=f"not asked for health: {why}"))
        proof = f"the kubelet's own {probe} probe held for {run.limits.soak:g} s"
        words = f"{start} and healthy: {proof}"
        return replace(outcome, message=words, also=(), health=Healthy.__name__), proof
    run.say(Noted(message="nothing is recorded: a rollout that completed proves no health"))
    return outcome, ""


async def _remembered(
    run: Run, revision: Revision, ending: Ending, outcome: Outcome, proof: str
) -> Outcome:
    """Write it into the ledger; where that cannot be, say so: the service is healthy anyway.

    Nothing is written while a rollback is under way: its own record will tell.
    """
    try:
        number = revision.number or await _number(run, revision.hash)
        why = await _written(run, replace(revision, number=number), ending.images, proof)
    except BackoutError as error:
        why = f"not recorded: {error.message}{f'; {error.remedy}' if error.remedy else ''}"
    if why:
        run.say(Warned(message=f"it was verified, and {why}"))
        return outcome
    run.say(
        Recorded(
            message=f"recorded healthy: revision {number}; a later rollback may return to it",
            revision=number,
            images=dict(ending.images),
        )
    )
    return outcome


async def _written(run: Run, revision: Revision, images: Mapping[str, str], proof: str) -> str:
    """Write the memory beside the lock by compare-and-swap; return what it is not, else nothing."""
    named = versions(revision.template, await read_versioned(run, revision.template))
    reason = f": {run.policy.reason}" if run.policy.reason else ""
    words = f"verified by {run.identity.actor}{reason}; {proof}"
    for _ in range(ATTEMPTS):
        seen = await see(run)
        if seen.lock.is_held(seen.now):
            return f"not recorded: {held_by(seen.lock, seen.ledger, seen.now)}"
        content = recorded(
            seen.ledger,
            revision.hash,
            revision.number,
            at=seen.now,
            told=words,
            images=images,
            references=named,
            fingerprint=again.fingerprint(revision),
        )
        if await put_beside(run, seen, content):
            return _still_bad(run, content.memory[revision.hash])
    raise Unreachable("the Lease could not be written", remedy="run the same command again")


def _still_bad(run: Run, known: Remembered) -> str:
    """Return that a person's mark stands in spite of the health, where one does."""
    if known.bad is None:
        return ""
    where = f"{run.target} -n {run.target.namespace}"
    line = f"{run.policy.program} ledger mark {where} --healthy --reason WHY"
    return f"it stays known to be bad, for only a person takes that back ({known.bad.why}): {line}"


async def _number(run: Run, digest: str) -> int:
    """Return the number that the controller has given it meanwhile; 0 where it has not."""
    history = (await look(run)).revisions
    return next((r.number for r in history if r.hash == digest), 0)
