"""Events of the cluster, by what they are about, none older than what is looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backout.core.model import Object

CLOCKS = timedelta(seconds=5)
"""How far a node's clock, which stamps events, may be behind the API server's."""


def in_order(events: Iterable[Object]) -> list[Object]:
    """Return events, oldest first."""
    return sorted(events, key=_when)


def by_uid(events: Iterable[Object], since: datetime | None) -> dict[str, list[Object]]:
    """Return events by the UID of what they are about, in their order, none older than `since`."""
    found: dict[str, list[Object]] = {}
    for event in events:
        at = objects.timestamp(_when(event))
        if since is not None and at is not None and at < since - CLOCKS:
            continue
        found.setdefault(str(objects.dig(event, "involvedObject", "uid")), []).append(event)
    return found


def _when(event: Object) -> str:
    # Scheduler events have only eventTime, kubelet events only lastTimestamp.
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
