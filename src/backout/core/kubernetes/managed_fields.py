"""Who changed an object last and when, as the API server's managed fields tell.

The weaker evidence: names of managers are free text, and a manager has one entry for all it wrote
(structured-merge-diff; measured). Times are the server's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from datetime import datetime

    from backout.core.model import Object


class Change(Struct, frozen=True, kw_only=True):
    """The newest write: `at` the server's time, `by` the field manager (untrusted text)."""

    at: datetime
    by: str


def last_change(obj: Object, *fields: str) -> Change | None:
    """Return the newest write to one of these top-level fields; None where nothing tells."""
    changes = [
        Change(at=at, by=str(entry.get("manager", "")))
        for entry in objects.dig(obj, "metadata", "managedFields", default=[])
        if (at := objects.timestamp(entry.get("time"))) is not None
        and any(f"f:{f}" in objects.dig(entry, "fieldsV1", default={}) for f in fields)
    ]
    return max(changes, key=lambda c: c.at, default=None)


def slim(obj: Object) -> Object:
    """Return the object without the names of the fields: when who wrote it stays, of each part.

    Those names are half of a Pod, and of thousands of Pods some hundred MB.
    """
    entries = objects.dig(obj, "metadata", "managedFields", default=[])
    kept = [{k: v for k, v in entry.items() if k != "fieldsV1"} for entry in entries]
    return {**obj, "metadata": {**obj["metadata"], "managedFields": kept}} if entries else obj


def status_written(obj: Object) -> datetime | None:
    """Return when the status was last written, by the server's clock; None where nothing tells.

    What the status says has not changed since: that is how long it has lasted, within one clock.
    """
    times = [
        at
        for entry in objects.dig(obj, "metadata", "managedFields", default=[])
        if entry.get("subresource") == "status"
        and (at := objects.timestamp(entry.get("time"))) is not None
    ]
    return max(times, default=None)


def unwritten_for(pod: Object, now: datetime, since: datetime | None) -> timedelta:
    """Return for how long a status has not been written, counted from `since` at the earliest.

    Both times are the server's; nothing where it does not tell.
    """
    written = status_written(pod)
    if written is None:
        return timedelta(0)
    return max(timedelta(0), now - (max(written, since) if since is not None else written))
