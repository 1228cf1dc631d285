"""Reads the Snapshot: what is known by name first, then what that names, each concurrently."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, Forbidden, NotFound, Unreachable
from backout.core.kubernetes import objects
from backout.core.ledger import records
from backout.core.preflight.snapshot import NOT_ASKED, Need, Snapshot
from backout.core.rights import permissions
from backout.kube import paths
from backout.steps.concurrency import first_error
from backout.steps.reading.neighbours import with_neighbour
from backout.steps.reading.observe import observed
from backout.steps.reading.role import with_role

if TYPE_CHECKING:
    from backout.core.kinds.kind import Resource
    from backout.core.model import Object, Revision
    from backout.core.rights.permissions import Permission
    from backout.steps.reading.place import Place
    from backout.steps.run import Run
    from backout.steps.store import LedgerStore

SPARE = 9
"""Connections that what follows needs, beside those that are opened for what is read first.

The checks ask for 15 things at once of a workload with a Service and three Pods: who has to open a
connection then is two round trips late, and all wait for it.
"""
AT_ONCE = 4
"""Access reviews at the same time: each more is a connection more, and a TLS handshake."""


class _Unread:
    """Collects why a need could not be read; the program goes on without it.

    With `chooses` only where it is denied: a choice that is made while the Pods or the ledger fail
    to answer for a moment goes to another revision than one that is made a moment later.
    """

    def __init__(self, *, chooses: bool = False) -> None:
        self.why: dict[Need, str] = {}
        self._chooses = chooses

    def note(self, need: Need, error: BackoutError) -> None:
        if self._chooses and need in _CHOSEN_FROM and not isinstance(error, Forbidden):
            raise Unreachable(
                f"the choice is made from the {need}, which could not be read: {error.message}; "
                "nothing was changed",
                remedy=error.remedy or "run the same command again",
            ) from error
        self.why[need] = error.message


_CHOSEN_FROM = {Need.PODS, Need.LEDGER}


async def read(run: Run, *, chooses: bool = True) -> Snapshot:
    """Return everything that a choice needs; with `chooses` one is to be made from it.

    Raises ApiError or Unreachable where the workload or its history cannot be read, without which
    there is nothing to choose from, and Unreachable where a choice needs what fails to answer.
    """
    unread = _Unread(chooses=chooses)
    if run.policy.is_survey:
        unread.why[Need.INTENT] = NOT_ASKED
    with first_error():
        async with asyncio.TaskGroup() as group:
            lease_task = group.create_task(_lease(run.ledger, unread))
            services_task = group.create_task(_services(run, unread))
            permissions_task = group.create_task(_permissions(run, unread))
            found = await workload(run)
            seen = await observed(run, found)
            if seen is not found:
                # A list that was kept may be older than it.
                run = replace(run, session=replace(run.session, client=run.client.plain))
            snapshot = await _named(run, seen, unread)
    return replace(
        snapshot,
        unreadable=unread.why,
        services=services_task.result(),
        lease=lease_task.result(),
        permissions=permissions_task.result(),
    )


async def look(place: Place) -> Snapshot:
    """Return the workload with its history and Pods as they are now: nothing is waited for.

    Raises as `read` does.
    """
    return await _named(place, await workload(place), _Unread())


async def look_back(place: Place, ledger: LedgerStore) -> Snapshot:
    """Return what `look` does, and the ledger; what is denied of it is noted.

    Raises as `read` does.
    """
    unread = _Unread()
    with first_error():
        async with asyncio.TaskGroup() as group:
            lease_task = group.create_task(_lease(ledger, unread))
            snapshot = await _named(place, await workload(place), unread)
    return replace(snapshot, lease=lease_task.result(), unreadable=unread.why)


async def history(run: Run) -> Snapshot:
    """Return what `look` does, once the controller has seen which template is the current one.

    Raises as `read` does.
    """
    return await _named(run, await observed(run, await workload(run)), _Unread())


async def past(place: Place) -> tuple[Revision, ...]:
    """Return the workload's history alone, newest first, without Pods; raises as `read` does."""
    found = await workload(place)
    kept = await stored(place, found["spec"]["selector"])
    return place.target.kind.revisions(found, kept, ())


async def _named(place: Place, workload: Object, unread: _Unread) -> Snapshot:
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

    Raises as `read` does.
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
    """Return the objects of a workload's history that its selector finds; raises as `read` does."""
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


async def _pods(place: Place, selector: Object, unread: _Unread) -> tuple[Object, ...]:
    path = paths.pods(place.target.namespace)
    try:
        return await place.client.selected(path, selector)
    except BackoutError as error:
        unread.note(Need.PODS, error)
        return ()


async def _services(run: Run, unread: _Unread) -> tuple[Object, ...]:
    try:
        return tuple((await run.client.list(paths.services(run.target.namespace))).items)
    except BackoutError as error:
        unread.note(Need.SERVICES, error)
        return ()


async def _lease(ledger: LedgerStore, unread: _Unread) -> Object | None:
    try:
        return await ledger.read()
    except BackoutError as error:
        unread.note(Need.LEDGER, error)
        return None


async def _permissions(run: Run, unread: _Unread) -> dict[str, bool]:
    """Return what SelfSubjectAccessReview says of each permission that an undo needs."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def asked(permission: Permission) -> bool:
        async with gate:
            return await may(run, permission)

    try:
        with first_error():
            async with asyncio.timeout(run.limits.preflight), asyncio.TaskGroup() as group:
                wanted = permissions.asked(
                    run.target.kind,
                    ledger_is_local=run.ledger.is_local,
                    deletes=run.policy.replace_stuck_pods,
                )
                tasks = {str(p): group.create_task(asked(p)) for p in wanted}
    except (BackoutError, TimeoutError) as error:
        told = error.message if isinstance(error, BackoutError) else "no answer in time"
        unread.why[Need.PERMISSIONS] = told
        return {}
    return {name: task.result() for name, task in tasks.items()}


async def may(run: Run, permission: Permission) -> bool:
    """Return what SelfSubjectAccessReview says of one permission, on the object that it is for.

    A Role may name that object. Not to create a Lease: such a request names none.
    """
    attributes = {
        "namespace": run.target.namespace,
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
    }
    if permission in permissions.workload(run.target.kind):
        attributes["name"] = run.target.name
    elif permission in permissions.LEDGER and permission.verb != "create":
        attributes["name"] = records.lease_name(run.target)
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await run.client.create(paths.self_subject_access_reviews(), review)
    return objects.dig(answer, "status", "allowed") is True
