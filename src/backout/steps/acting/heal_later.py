"""Makes up for a second write that failed, of a rollback that has ended since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, NotFound
from backout.core.kubernetes import template
from backout.core.ledger import once
from backout.core.outcome import Outcome, Result
from backout.kube import paths
from backout.steps.acting.heal import Ended, NotOurs, Ours, Pending, edit_of, hand_back
from backout.steps.ledger.lease import change
from backout.steps.ledger.recover import let_go, take_over

if TYPE_CHECKING:
    from backout.core.ledger.records import Record
    from backout.steps.ledger.lease import Held, Seen
    from backout.steps.run import Run


async def heal_later(run: Run, seen: Seen, record: Record) -> Outcome | None:
    """Hand back what an ended rollback took; None where somebody else was faster with the lock."""
    held = await take_over(run, seen)
    if held is None:
        return None
    held.record = record.op
    try:
        ended = await _ended(run, held, record)
        await change(run, held, edit_of(ended), late=True, release=True)
    except BackoutError:
        await let_go(run, held)
        raise
    return _outcome(run, record, ended)


async def _ended(run: Run, held: Held, record: Record) -> Ended:
    try:
        workload = await run.client.get(paths.workload(run.target))
    except NotFound:
        return NotOurs()
    if not once.leads_to(record, workload, run.target.kind):
        return NotOurs()
    here = template.digest(workload["spec"]["template"])
    ours = Ours(op=record.op, hash=here, owners=record.owners)
    return await hand_back(run, held, ours, workload)


def _outcome(run: Run, record: Record, ended: Ended) -> Outcome:
    what = f"the rollback of {record.actor} to revision {record.destination.revision}"
    if isinstance(ended, Pending):
        return Outcome(
            result=Result.UNDECIDED,
            message=f"the fields that {what} took could not be handed back: {ended.why}",
            remedy="run the same command again",
        )
    if isinstance(ended, NotOurs):
        words = f"{what} has nothing left to hand back: the template has changed since"
        return Outcome(result=Result.SETTLED, message=words)
    words = f"the fields of {run.target} that {what} took are handed back"
    return Outcome(result=Result.SETTLED, message=words)
