"""Makes one trial Pod and deletes it again, whatever happens; and those that others left behind.

Only ours are, by label and UID (design rule 8.3); `acting/replace.py` deletes others by request.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from backout.core.errors import ApiError, BackoutError, Conflict, NotFound
from backout.core.events.told import Noted
from backout.core.kubernetes import objects
from backout.core.preflight import rehearsal
from backout.kube import paths
from backout.steps.concurrency import unbroken
from backout.steps.ledger.processes import is_dead
from backout.steps.run import Identity

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from backout.core.model import Object
    from backout.steps.run import Run


PIDS = 2**31
"""Above any process's number: an annotation may hold any."""


@asynccontextmanager
async def trial(run: Run, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """Give the Pod as it was made; its deletion is requested when the block is left.

    An interruption waits for that, too. Raises what the API server says to the creation.
    """
    creating = asyncio.ensure_future(run.client.create(paths.pods(run.target.namespace), body))
    try:
        yield await unbroken(creating, patience=run.limits.wind_down / 2)
    finally:
        removing = asyncio.ensure_future(_removed(run, creating))
        await unbroken(removing, patience=run.limits.wind_down)


async def sweep(run: Run) -> None:
    """Delete the trial Pods of this workload that nobody watches any more; quick, and optional.

    Those whose time is over, and those of a process of this machine that is dead.
    """
    try:
        async with asyncio.timeout(run.limits.preflight):
            found = await run.client.list(
                paths.pods(run.target.namespace),
                label_selector=rehearsal.of_workload(run.target),
                tries=1,
            )
    except (BackoutError, TimeoutError):
        return
    for pod in found.items:
        if objects.dig(pod, "metadata", "deletionTimestamp") or not rehearsal.is_ours(pod):
            continue
        if rehearsal.is_over(pod, run.server_now()) or _is_orphan(run, pod):
            run.say(Noted(message=f"trial Pod {objects.name(pod)} was left behind; it is deleted"))
            await _delete(run, pod)


async def _removed(run: Run, creating: asyncio.Future[dict[str, Any]]) -> None:
    """Delete what was made; where the answer was lost, what has our label."""
    if creating.done() and not creating.cancelled():
        error = creating.exception()
        if error is None:
            await _delete(run, creating.result())
            return
        if isinstance(error, ApiError):
            return
    try:
        async with asyncio.timeout(run.limits.wind_down):
            found = await run.client.list(
                paths.pods(run.target.namespace), label_selector=rehearsal.of_operation(run.op)
            )
    except (BackoutError, TimeoutError):
        run.say(Noted(message=f"a trial Pod may have been made; {_BY_ITSELF}"))
        return
    for pod in found.items:
        await _delete(run, pod)


async def _delete(run: Run, pod: Object) -> None:
    name = objects.name(pod)
    try:
        async with asyncio.timeout(run.limits.wind_down):
            await run.client.delete(paths.pod(run.target.namespace, name), uid=objects.uid(pod))
    except (NotFound, Conflict):
        return
    except (BackoutError, TimeoutError) as error:
        why = error.message if isinstance(error, BackoutError) else "no answer in time"
        run.say(Noted(message=f"trial Pod {name} could not be deleted: {why}; {_BY_ITSELF}"))


_BY_ITSELF = (
    "it ends by itself when its time is over, and the next undo of this workload deletes it"
)


def _is_orphan(run: Run, pod: Object) -> bool:
    """Tell whether the process that made it was one of this boot of this machine, and is gone."""
    by = rehearsal.made_by(pod)
    pid = by.get("pid")
    if type(pid) is not int or not 0 < pid < PIDS:
        return False
    names = ("host", "bootID", "pidNamespace", "startedAt")
    host, boot_id, namespace, began = (str(by.get(name) or "") for name in names)
    maker = Identity(
        actor="", host=host, boot_id=boot_id, pid=pid, namespace=namespace, started=began
    )
    return is_dead(maker, run.identity)
