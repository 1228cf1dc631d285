"""Writes a word of a person or a pipeline into the memory: this revision works, or it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import ConfigError, Unreachable
from backout.core.history import revisions
from backout.core.images.names import ran
from backout.core.kubernetes import objects
from backout.core.ledger import again, memory
from backout.core.outcome import Outcome, Result
from backout.core.plan.absent import no_such_revision
from backout.steps.ledger.lease import ATTEMPTS, put_beside, see
from backout.steps.reading.read import history

if TYPE_CHECKING:
    from backout.core.model import Revision
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def mark(run: Run, *, number: int | None, healthy: bool) -> Outcome:
    """Mark a revision (None: the current one), with the run's reason; the lock is left as it is.

    Raises ConfigError where there is no such revision.
    """
    revision = _revision(await history(run), number)
    images = ran(p for p in revision.pods if objects.is_ready(p)) if healthy else {}
    words = f"marked by {run.identity.actor}: {run.policy.reason}"
    for _ in range(ATTEMPTS):
        seen = await see(run)
        content = memory.marked(
            seen.ledger,
            revision.hash,
            revision.number,
            at=seen.now,
            bad=None if healthy else words,
            told=words,
            images=images,
            fingerprint=again.fingerprint(revision),
        )
        if await put_beside(run, seen, content):
            word = "healthy" if healthy else "bad"
            return Outcome(
                result=Result.SETTLED,
                message=f"revision {revision.number} of {run.target} is marked {word}",
            )
    raise Unreachable("the Lease could not be written", remedy="run the same command again")


def _revision(snapshot: Snapshot, number: int | None) -> Revision:
    there = snapshot.revisions
    found = revisions.current(there) if number is None else revisions.numbered(there, number)
    if found is not None:
        return found
    if number is not None:
        raise no_such_revision(snapshot, number)
    existing = ", ".join(str(r.number) for r in there) or "none"
    raise ConfigError(
        f"there is no current revision of {snapshot.target}; existing: {existing}",
        remedy="name one of them: --revision N",
    )
