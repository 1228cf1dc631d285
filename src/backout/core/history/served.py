"""For how long a revision was the current one, as far as the history tells."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.model import Revision

SERVED = timedelta(minutes=10)
"""After so long as the current one a revision is said to have served: evidence, never proof."""
LONG = timedelta(hours=1)
"""Below it a rollout that hung looks the same."""


def current_for(revision: Revision, history: Sequence[Revision]) -> timedelta | None:
    """Return how long it was until the next revision was made; None where that cannot be told.

    A revision that was made current again is older than its number says, and a gap in the numbers
    hides one: their creation times tell nothing then. `history` is newest first.
    """
    follower = next((r for r in reversed(history) if r.number == revision.number + 1), None)
    if follower is None or revision.earlier or follower.earlier:
        return None
    if revision.created is None or follower.created is None or follower.created < revision.created:
        return None
    return follower.created - revision.created


def has_served(span: timedelta | None) -> bool:
    """Tell whether a span, or one that cannot be told, is evidence that the revision worked."""
    return span is None or span >= SERVED


def is_long(span: timedelta | None) -> bool:
    """Tell whether it is known to have been current for longer than rollouts hang."""
    return span is not None and span >= LONG
