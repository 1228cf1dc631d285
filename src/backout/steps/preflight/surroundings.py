"""What Prometheus says at the trigger: firing alerts, and the metrics that are to recover.

Asked beside the lock, the PATCH and the watch: none waits for it, nothing fails for lack of it.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from backout.core.events.planning import AlertsRead
from backout.core.events.told import Noted
from backout.core.health.metric import NoAnswer, concerning, names
from backout.steps.asking.metric import BEFORE, metric_subjects
from backout.steps.concurrency import beside

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from backout.core.health.metric import Alert
    from backout.steps.run import Run

MOST_NAMED = 5
"""Alerts that the note names; the event holds them all."""


def surroundings(run: Run) -> AbstractAsyncContextManager[None]:
    """Ask while the block runs, within the preflight budget; leaving it waits for nothing."""
    return beside(_within_budget(run)) if run.prometheus is not None else nullcontext()


async def _within_budget(run: Run) -> None:
    budget = run.limits.preflight
    try:
        async with asyncio.timeout(budget):
            await asyncio.gather(_alerts(run), *(s.sampled(BEFORE) for s in metric_subjects(run)))
    except TimeoutError:
        run.say(
            Noted(message=f"Prometheus did not answer within the preflight budget, {budget:g} s")
        )


async def _alerts(run: Run) -> None:
    found = await run.prometheus.alerts() if run.prometheus is not None else ()
    if isinstance(found, NoAnswer):
        run.say(Noted(message=f"whether alerts fire could not be read: {found.why}"))
        return
    here = concerning(found, run.target)
    run.say(AlertsRead(message=_words(run, here), alerts=tuple(_fields(run, a) for a in here)))


def _words(run: Run, alerts: tuple[Alert, ...]) -> str:
    if not alerts:
        return f"no alert fires for namespace {run.target.namespace}"
    told = [f"{a.name}{' (this workload)' if names(a, run.target) else ''}" for a in alerts]
    more = f", and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    words = "1 alert fires" if len(told) == 1 else f"{len(told)} alerts fire"
    where = f"for namespace {run.target.namespace}"
    return f"{words} {where}: {', '.join(told[:MOST_NAMED])}{more}"


def _fields(run: Run, alert: Alert) -> dict[str, object]:
    return {
        "name": alert.name,
        "since": alert.since,
        "workload": names(alert, run.target),
        "labels": dict(alert.labels),
    }
