"""Tells a URL of the user's about the announcement and the outcome; nothing waits or fails for it.

Nothing is told where the user named no URL.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backout.core.events.told import Warned
from backout.core.report.notification import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.outcome import Outcome
    from backout.steps.notifier import Notifier
    from backout.steps.run import Run


def begin(run: Run, revision: int, text: str) -> None:
    """Send the announcement beside whatever comes next."""
    if run.notifier is not None:
        facts = {"revision": revision, "outcome": None}
        run.notifier.beside(_send(run, run.notifier, "triggered", text, facts))


async def end(run: Run, outcome: Outcome) -> None:
    """Send the outcome, after the announcement; return within a few seconds in any case.

    One that was sent already is not sent again; where it has changed since, its last word is.
    """
    if run.notifier is None or not run.notifier.is_news(outcome):
        return
    await run.notifier.sent()
    facts = {
        "outcome": str(outcome.result),
        "verdict": outcome.verdict,
        "health": outcome.health,
        "remedy": outcome.remedy,
    }
    await _send(run, run.notifier, "outcome", outcome.whole, facts)


async def _send(
    run: Run, notifier: Notifier, kind: str, text: str, facts: Mapping[str, object]
) -> None:
    ids = {"traceID": run.trace_id, "op": run.op}
    message = document(kind, text, datetime.now(UTC), run.target, {**ids, **facts})
    why = await notifier.send(run.session.mask.of(message))
    if why:
        run.say(Warned(message=f"{notifier.host} was not notified ({kind}): {why}"))
