"""Reads all that a choice needs: by name first, then what that names, each concurrently."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import BackoutError
from backout.core.kubernetes import objects
from backout.core.ledger import records
from backout.core.preflight.snapshot import NOT_ASKED, Need, Snapshot
from backout.core.rights import permissions
from backout.kube import paths
from backout.steps.concurrency import first_error
from backout.steps.reading.look import Unread, lease_of, named, workload
from backout.steps.reading.observe import observed

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.core.rights.permissions import Permission
    from backout.steps.run import Run

SPARE = 9
"""Connections that what follows needs, beside those that are opened for what is read first.

The checks ask for 15 things at once of a workload with a Service and three Pods: who has to open a
connection then is two round trips late, and all wait for it.
"""
AT_ONCE = 4
"""Access reviews at the same time: each more is a connection more, and a TLS handshake."""


async def read(run: Run, *, chooses: bool = True) -> Snapshot:
    """Return everything that a choice needs; with `chooses` one is to be made from it.

    Raises ApiError or Unreachable where the workload or its history cannot be read, without which
    there is nothing to choose from, and Unreachable where a choice needs what fails to answer.
    """
    unread = Unread(chooses=chooses)
    if run.policy.is_survey:
        unread.why[Need.INTENT] = NOT_ASKED
    with first_error():
        async with asyncio.TaskGroup() as group:
            lease_task = group.create_task(lease_of(run.ledger, unread))
            services_task = group.create_task(_services(run, unread))
            permissions_task = group.create_task(_permissions(run, unread))
            found = await workload(run)
            seen = await observed(run, found)
            if seen is not found:
                # A list that was kept may be older than it.
                run = replace(run, session=replace(run.session, client=run.client.plain))
            snapshot = await named(run, seen, unread)
    return replace(
        snapshot,
        unreadable=unread.why,
        services=services_task.result(),
        lease=lease_task.result(),
        permissions=permissions_task.result(),
    )


async def history(run: Run) -> Snapshot:
    """Return what `look` does, once the controller has seen which template is the current one.

    Raises as `read` does.
    """
    return await named(run, await observed(run, await workload(run)), Unread())


async def _services(run: Run, unread: Unread) -> tuple[Object, ...]:
    try:
        return tuple((await run.client.list(paths.services(run.target.namespace))).items)
    except BackoutError as error:
        unread.note(Need.SERVICES, error)
        return ()


async def _permissions(run: Run, unread: Unread) -> dict[str, bool]:
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
