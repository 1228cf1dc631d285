"""Reads a workload with its history and its Pods as they are now: nothing is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import BackoutError, Forbidden, NotFound, Unreachable
from backout.core.kubernetes import objects
from backout.core.preflight.snapshot import Need, Snapshot
from backout.kube import paths
from backout.steps.concurrency import first_error
from backout.steps.reading.neighbours import with_neighbour
from backout.steps.reading.role import with_role

if TYPE_CHECKING:
    from backout.core.kinds.kind import Resource
    from backout.core.model import Object, Revision
    from backout.steps.reading.place import Place
    from backout.steps.store import LedgerStore


class Unread:
    """Collects why a need could not be read; the program goes on without it.

    With `chooses` only where it is denied: a choice that is made while the Pods or the ledger fail
    to answer for a moment goes to another revision than one that is made a moment later.
    """

    def __init__(self, *, chooses: bool = False) -> None:
        self.why: dict[Need, str] = {}
        self._chooses = chooses

    def note(self, need: Need, error: BackoutError) -> None:
        """Note why a need was not read; raise Unreachable where a choice would be made from it."""
        if self._chooses and need in _CHOSEN_FROM and not isinstance(error, Forbidden):
            raise Unreachable(
                f"the choice is made from the {need}, which could not be read: {error.message}; "
                "nothing was changed",
                remedy=error.remedy or "run the same command again",
            ) from error
        self.why[need] = error.message


_CHOSEN_FROM = {Need.PODS, Need.LEDGER}


async def look(place: Place) -> Snapshot:
    """Return the workload with its history and Pods as they are now.

    Raises ApiError or Unreachable where the workload or its history cannot be read.
    """
    return await named(place, await workload(place), Unread())


async def look_back(place: Place, ledger: LedgerStore) -> Snapshot:
    """Return what `look` does, and the ledger; what is denied of it is noted.

    Raises as `look` does.
    """
    unread = Unread()
    with first_error():
        async with asyncio.TaskGroup() as group:
            lease_task = group.create_task(lease_of(ledger, unread))
            snapshot = await named(place, await workload(place), unread)
    return replace(snapshot, lease=lease_task.result(), unreadable=unread.why)


async def past(place: Place) -> tuple[Revision, ...]:
    """Return the workload's history alone, newest first, without Pods; raises as `look` does."""
    found = await workload(place)
    kept = await stored(place, found["spec"]["selector"])
    return place.target.kind.revisions(found, kept, ())


async def named(place: Place, workload: Object, unread: Unread) -> Snapshot:
    """Return a snapshot of what a workload names."""
    selector = workload["spec"]["selector"]
    with first_error():
        async with asyncio.TaskGroup() as group:
            stored_task = group.create_task(stored(place, selector))
            pods_task = group.create_task(_pods(place, selector, unread))
    return Snapshot(
        target=place.target,
        workload=workload,
        stored=stored_task.result(),
        pods=pods_task.result(),
        now=place.server_now(),
        is_observed=objects.is_observed(workload),
        unreadable=unread.why,
    )


async def workload(place: Place) -> Object:
    """Return the workload; where there is none, the error names its nearest neighbour.

    Raises as `look` does.
    """
    kind = place.target.kind
    try:
        found = await place.client.get(paths.workload(place.target))
    except Forbidden as error:
        raise with_role(error, kind.resource.plural, kind) from None
    except NotFound as error:
        raise await with_neighbour(place, error) from None
    parts = (objects.dig(found, "spec", key) for key in ("selector", "template"))
    _check(kind.resource, *parts)
    return found


async def stored(place: Place, selector: Object) -> tuple[Object, ...]:
    """Return the objects of a workload's history that its selector finds; raises as `look` does."""
    kind = place.target.kind
    path = paths.listed(kind.stored, place.target.namespace)
    try:
        found = await place.client.selected(path, selector)
    except Forbidden as error:
        raise with_role(error, kind.stored.plural, kind) from None
    for one in found:
        _check(kind.stored, kind.template_of(one))
    return found


def _check(resource: Resource, *parts: object) -> None:
    """Raise Unreachable where something in between answered in the API server's place."""
    if not all(isinstance(part, dict) for part in parts):
        raise Unreachable(
            f"what answers for the API server sent something that is no {resource.name}",
            remedy="look at the server's address and at the proxy in front of it",
        )


async def _pods(place: Place, selector: Object, unread: Unread) -> tuple[Object, ...]:
    path = paths.pods(place.target.namespace)
    try:
        return await place.client.selected(path, selector)
    except BackoutError as error:
        unread.note(Need.PODS, error)
        return ()


async def lease_of(ledger: LedgerStore, unread: Unread) -> Object | None:
    """Return the Lease; None where there is none, or where it could not be read: that is noted."""
    try:
        return await ledger.read()
    except BackoutError as error:
        unread.note(Need.LEDGER, error)
        return None
