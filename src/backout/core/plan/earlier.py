"""The rollback before this one, where it stands against another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.images import names
from backout.core.kubernetes import template
from backout.core.ledger import once
from backout.core.ledger.records import Ledger

if TYPE_CHECKING:
    from backout.core.ledger.once import Back, LeftOpen
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Snapshot

ELSEWHERE = -1
"""No revision has this number."""


def in_the_way(snapshot: Snapshot, policy: Request) -> LeftOpen | Back | None:
    """Return the rollback that has led here and stands against another; see `once`."""
    ledger = snapshot.ledger
    if not isinstance(ledger, Ledger):
        return None
    return once.in_the_way(
        ledger,
        snapshot.workload,
        snapshot.kind,
        snapshot.revisions,
        number=_named(snapshot, policy),
        now=snapshot.now,
        window=policy.window,
    )


def _named(snapshot: Snapshot, policy: Request) -> int | None:
    """Return the number that the user named; None for none, or for the image that is asked for."""
    images = template.images(snapshot.workload["spec"]["template"]).values()
    if policy.to_image and not any(names.is_named(i, policy.to_image) for i in images):
        return ELSEWHERE
    return policy.to_revision
