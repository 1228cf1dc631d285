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
        at = last_seen(event)
        if since is not None and at is not None and at < since - CLOCKS:
            continue
        found.setdefault(str(objects.dig(event, "involvedObject", "uid")), []).append(event)
    return found


def last_seen(event: Object) -> datetime | None:
    """Return when an event was told last, by the clock of whoever tells it."""
    return objects.timestamp(_when(event))


def first_seen(event: Object) -> datetime | None:
    """Return when an event was told first, by the clock of whoever tells it."""
    return objects.timestamp(event.get("firstTimestamp") or event.get("eventTime") or _when(event))


def told_for(events: Iterable[Object], since: datetime | None = None) -> timedelta:
    """Return how long events of one source have been told: from the first to the last stamp.

    What was told before `since` does not count.
    """
    listed = list(events)
    firsts = [at for e in listed if (at := first_seen(e)) is not None]
    lasts = [at for e in listed if (at := last_seen(e)) is not None]
    if not firsts or not lasts:
        return timedelta(0)
    first = min(firsts) if since is None else max(min(firsts), since)
    return max(timedelta(0), max(lasts) - first)


def _when(event: Object) -> str:
    # Scheduler events have only eventTime, kubelet events only lastTimestamp; of one that repeats
    # itself by events.k8s.io only the series has the newest time.
    newest = objects.dig(event, "series", "lastObservedTime")
    return str(newest or event.get("lastTimestamp") or event.get("eventTime") or "")
