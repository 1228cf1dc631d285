"""After a failure that was only looked at: what to type to leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.events.watching import NextStep
from backout.core.outcome import Result
from backout.core.plan.way_back import ways_back
from backout.steps.reading.look import look_back

if TYPE_CHECKING:
    from backout.core.outcome import Outcome
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def tell_way_back(run: Run, outcome: Outcome, snapshot: Snapshot | None = None) -> None:
    """Say how to roll back where an outcome is a failure, and there is somewhere to go.

    Without a `snapshot` (as it is now, with its Lease) the workload is read again: whose Pods are
    Ready has changed while it was watched. What may not be read is left out: the failure itself
    is told in any case.
    """
    if outcome.result is not Result.FAILED:
        return
    snapshot = snapshot or await as_it_is_now(run)
    for sentence in ways_back(snapshot, run.policy) if snapshot is not None else []:
        run.say(NextStep(message=sentence))


async def as_it_is_now(run: Run) -> Snapshot | None:
    """Return the workload with its Lease, read again; None where it cannot be read."""
    try:
        return await look_back(run, run.ledger)
    except BackoutError:
        return None
