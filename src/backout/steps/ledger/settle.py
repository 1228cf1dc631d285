"""Finds out for certain whether a PATCH landed: fence first, then look for its marker.

Reading alone proves nothing while the PATCH may still be on its way. The fence changes the
workload's resourceVersion, so that a PATCH in flight must fail; what is not there then never was
and never will be (docs/decisions/0003-ledger.md; tests/protocol).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.errors import BackoutError, Conflict, NotFound, Unreachable
from backout.core.history import patch
from backout.core.kubernetes import objects
from backout.core.ledger import once
from backout.core.ledger.records import Record, State
from backout.kube import paths

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object
    from backout.steps.run import Run

FENCES = 4


class Settled(Struct, frozen=True, kw_only=True):
    """What became of a PATCH, for certain, and the workload as it is then; None where it is gone.

    `before` is the workload when nothing but our fence lay between: a mutating webhook may have
    changed its template at the fence, too.
    """

    state: State
    workload: Object | None = None
    before: Object | None = None

    def leads_here(self, record: Record, kind: Kind) -> bool:
        """Tell whether the workload asks for what the record went to, and nobody else has written.

        See docs/decisions/0003-ledger.md, "Once back".
        """
        workload = self.before or self.workload
        return workload is not None and once.leads_to(record, workload, kind)


async def settle(run: Run, record: Record) -> Settled:
    """Return APPLIED, NOT_APPLIED or UNDECIDED for an open INTENT, each for certain.

    The Lease must be ours. Raises Unreachable or ApiError where the API server stays away or does
    not let us: then the INTENT stays open.
    """
    path = paths.workload(run.target)
    try:
        before = await _fence(run, path, record, time.monotonic_ns())
        workload = await run.client.get(path)
    except NotFound:
        return Settled(state=State.UNDECIDED)
    if await _carries_marker(run, workload, record.op):
        return Settled(state=State.APPLIED, workload=workload, before=before)
    own = before or workload
    untouched = (
        objects.uid(own) == record.uid and objects.generation(own) == record.source.generation
    )
    # Somebody changed it since, and may have wiped a marker that was not copied anywhere yet.
    state = State.NOT_APPLIED if untouched else State.UNDECIDED
    return Settled(state=state, workload=workload, before=before)


async def _fence(run: Run, path: str, record: Record, count: int) -> Object | None:
    """Change the resourceVersion, and see that it changed.

    Return the workload as it was before, None where more than the fence may lie between: the last
    attempt is made whoever else writes. A fence whose answer was lost is made again with another
    value: the value that is then seen standing there is the proof.
    """
    unclear: BackoutError | None = None
    for attempt in range(FENCES):
        before = await run.client.get(path)
        version = objects.resource_version(before)
        is_last = attempt == FENCES - 1
        body = patch.fence(record.op, run.op, count + attempt, version="" if is_last else version)
        try:
            after = await run.client.patch_merge(path, body)
        except (Unreachable, Conflict) as error:
            unclear = error
            continue
        if objects.resource_version(after) != version:
            return None if is_last else before
    raise unclear or Unreachable("the workload could not be fenced: its version does not change")


async def _carries_marker(run: Run, workload: Object, op: str) -> bool:
    """Look on the workload, and on its history where that is marked, too.

    A later kubectl undo replaces the workload's own annotations.
    """
    kind = run.target.kind
    if objects.annotations_of(workload).get(patch.MARKER) == op:
        return True
    if not kind.marks_history:
        return False
    selector = objects.selector_text(workload["spec"]["selector"])
    path = paths.listed(kind.stored, run.target.namespace)
    listing = await run.client.list(path, label_selector=selector)
    return any(
        objects.annotations_of(r).get(patch.MARKER) == op
        and objects.is_controlled_by(r, objects.uid(workload))
        for r in listing.items
    )
