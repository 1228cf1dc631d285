"""Rollbacks made without backout, as far as the objects tell.

A revision that was made current again may tell its earlier numbers. What no record of ours explains
was somebody else's. When it was, only managed fields can prove, and only
of the newest: kubectl's PATCH of the template, manager `kubectl` (measured on 1.34.4). Their time
moves with any later edit by kubectl: it may be younger than the rollback, never older.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects
from backout.core.ledger.records import KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backout.core.ledger.records import Ledger
    from backout.core.model import Object, Revision

KUBECTL = "kubectl"


class Foreign(Struct, frozen=True, kw_only=True):
    """`count` comebacks of revisions that no record explains, of `revisions` by number.

    `proven_at` is when kubectl made the newest of them, None where nothing proves it.
    """

    count: int
    revisions: tuple[int, ...] = ()
    proven_at: datetime | None = None


def rollbacks(workload: Object, history: Sequence[Revision], ledger: Ledger) -> Foreign:
    """Return the rollbacks that were made without backout; none where records were pruned."""
    if len(ledger.records) >= KEPT:
        return Foreign(count=0)
    unexplained = {r.number: _unexplained(r, ledger) for r in history}
    found = {number: count for number, count in unexplained.items() if count > 0}
    now = next((r for r in history if r.is_current), None)
    is_newest = now is not None and now.number in found
    return Foreign(
        count=sum(found.values()),
        revisions=tuple(sorted(found)),
        proven_at=_kubectl_wrote_at(workload, ledger) if is_newest else None,
    )


def _unexplained(revision: Revision, ledger: Ledger) -> int:
    ours = sum(r.counts and r.destination.hash == revision.hash for r in ledger.records)
    return len(revision.earlier) - ours


def _kubectl_wrote_at(workload: Object, ledger: Ledger) -> datetime | None:
    """Return when kubectl wrote the Pod template, where nobody has written it since.

    A rollback of ours that handed its fields back has left no trace there: its record tells.
    """
    entries = [
        e
        for e in objects.dig(workload, "metadata", "managedFields", default=[])
        if objects.dig(e, "fieldsV1", "f:spec", "f:template") is not None
    ]
    newest = max((str(e.get("time") or "") for e in entries), default="")
    is_kubectl = any(
        (e.get("time"), e.get("manager"), e.get("operation")) == (newest, KUBECTL, "Update")
        for e in entries
    )
    at = objects.timestamp(newest) if is_kubectl else None
    ours = [r.patched_at for r in ledger.records if r.is_healed and r.patched_at is not None]
    return None if at is None or any(at <= one for one in ours) else at
