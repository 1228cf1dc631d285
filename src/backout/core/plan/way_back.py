"""What to type where a rollout has failed: the rollback that would leave it, as lines to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks import lines
from backout.core.checks.breaker import beyond_limit
from backout.core.history.choice import Choice
from backout.core.images import names
from backout.core.ledger import once
from backout.core.plan.back import ways_on
from backout.core.plan.earlier import in_the_way
from backout.core.plan.selection import select

if TYPE_CHECKING:
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Snapshot


def ways_back(snapshot: Snapshot, policy: Request) -> list[str]:
    """Return the ways to leave what runs, each a sentence with its line; none where there is none.

    After a rollback that led here a plain `undo` goes nowhere: revisions are named then. While
    somebody else's rollback is under way there is nothing to do but to wait for it.
    """
    back = in_the_way(snapshot, policy)
    if isinstance(back, once.LeftOpen):
        line = lines.of("backout resume", policy, snapshot)
        return [f"go on with the rollback that was left open: {line}"]
    if back is not None:
        return ways_on(back, snapshot, policy)
    found = select(snapshot, policy)
    if not isinstance(found, Choice):
        return []
    there = found.revision
    line = lines.of("backout undo", policy, snapshot)
    words = f"roll back to revision {there.number} {names.beside(there.template)}"
    beyond = beyond_limit(snapshot, policy)
    return [f"{words}{beyond.words}: {line}{beyond.flags}"]
