"""Why a plain `undo` would go nowhere, in the words of its refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.history.choice import Choice
from backout.core.ledger import once
from backout.core.plan.back import already_back
from backout.core.plan.earlier import in_the_way
from backout.core.plan.selection import select
from backout.core.preflight.request import Request

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Snapshot


def chosen(snapshot: Snapshot) -> tuple[Choice | None, str]:
    """Return the choice and its reason; None and why there is none."""
    policy = Request()
    back = in_the_way(snapshot, policy)
    if isinstance(back, once.Back):
        told = already_back(back, snapshot, policy).message
        return None, told.removesuffix("; nothing was changed")
    if back is not None:
        record = back.record
        return None, (
            f"the rollback of {record.actor} to revision {record.destination.revision} was left "
            "open: undo goes on with it"
        )
    found = select(snapshot, policy)
    return (found, found.why) if isinstance(found, Choice) else (None, found.message)
