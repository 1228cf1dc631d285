"""Watches the rollout that is under way to a verdict; changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.diagnosis.before import Before, first_look, progress_deadline
from backout.core.diagnosis.groups import patience
from backout.core.errors import ConfigError
from backout.core.events.told import Noted
from backout.core.history import revisions
from backout.core.kubernetes import template
from backout.core.outcome import Outcome, Result
from backout.core.preflight.snapshot import Need
from backout.core.rollout.ending import unfinished
from backout.core.rollout.verdict import Complete, Failed, Verdict
from backout.steps.reading.look import look
from backout.steps.reading.way_back import tell_way_back
from backout.steps.reading.where import tell_where
from backout.steps.watching.soak import settled
from backout.steps.watching.watch import Watch, Watched, until

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def status(run: Run, *, number: int | None) -> Outcome:
    """Return how the current rollout ends: complete and it held, failed, or not known in time.

    `number` pins a revision, as kubectl's `--revision`. Raises ConfigError where it is not the
    current one, and what reading raises.
    """
    since = asyncio.get_running_loop().time()
    run.client.warm(3)  # of what is watched there are four resources, each with a connection
    watched = await _watched(run, number)
    deadline = until(run, since)
    async with Watch(run, watched, deadline=deadline) as watch:
        ending = await settled(run, watch, None, deadline=deadline)
    outcome = told(run, ending.verdict, f"and it held for {run.limits.soak:g} s")
    await tell_way_back(run, outcome)
    return outcome


async def _watched(run: Run, number: int | None) -> Watched:
    """Read what is watched; of thousands of Pods none is kept from here: they are read again."""
    snapshot = await look(run)
    check_revision(snapshot, number)
    workload = snapshot.workload
    tell_seen(run, snapshot)
    return Watched(
        workload=workload,
        wanted=template.digest(workload["spec"]["template"]),
        earlier=since_its_beginning(snapshot),
        fail_fast=run.policy.fail_fast,
        patience=patience(run.policy.patience),
    )


def told(run: Run, verdict: Verdict, held: str = "") -> Outcome:
    """Return the outcome of a reading command: exit 0, 4 or 5."""
    causes = getattr(verdict, "causes", ())
    remedy = causes[0].remedy if causes else getattr(verdict, "remedy", "")
    name = type(verdict).__name__
    if isinstance(verdict, Complete):
        message = f"{run.target} is rolled out" + (f", {held}" if held else "")
        return Outcome(result=Result.SUCCEEDED, message=message, verdict=name)
    result, word, also = unfinished(verdict)
    came = word if isinstance(verdict, Failed) else f"is {word}"
    message = f"the rollout of {run.target} {came}: {verdict.message}"
    return Outcome(result=result, message=message, also=also, verdict=name, remedy=remedy)


def since_its_beginning(snapshot: Snapshot) -> Before:
    """Return what the current rollout is judged against by who only looks."""
    now = revisions.current(snapshot.revisions)
    templates = [r.template for r in snapshot.revisions if not r.is_current]
    return first_look(
        snapshot.pods,
        snapshot.now,
        templates,
        deadline=progress_deadline(snapshot.workload, snapshot.kind),
        ran=now is not None and now.hash in snapshot.known.good,
    )


def tell_seen(run: Run, snapshot: Snapshot) -> None:
    """Say where the workload stands, and why its Pods are not seen where they may not be."""
    tell_where(run, snapshot)
    if Need.PODS in snapshot.unreadable:
        run.say(Noted(message=snapshot.unreadable[Need.PODS]))


def check_revision(snapshot: Snapshot, number: int | None) -> None:
    """Raise ConfigError, in kubectl's words, where the pinned revision is not the current one."""
    now = revisions.current(snapshot.revisions)
    if number is not None and (now is None or now.number != number):
        raise ConfigError(
            f"desired revision ({number}) is different from the running revision "
            f"({now.number if now is not None else 'none yet'})",
            remedy="leave --revision out to watch the current one",
        )
