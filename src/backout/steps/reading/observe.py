"""Waits until the controller has seen the newest spec: undoing before goes to the wrong revision.

Measured (docs/facts/controllers.md): kubectl went to the bad revision, with exit 0.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.events.watching import Moved
from backout.core.kubernetes import objects
from backout.kube import paths
from backout.kube.watch import Removed, Synced, Upserted, follow

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.steps.run import Run


async def observed(run: Run, workload: Object) -> Object:
    """Return the workload as soon as its newest generation is observed; as it is at the limit."""
    if objects.is_observed(workload):
        return workload
    kind = run.target.kind.resource
    run.say(Moved(message=f"waiting for the {kind.name} controller to observe the newest change"))
    newest = [workload]
    try:
        async with asyncio.timeout(run.limits.observe):
            await _until_observed(run, newest)
    except TimeoutError:
        pass
    return newest[-1]


async def _until_observed(run: Run, newest: list[Object]) -> None:
    changes = follow(
        run.client,
        paths.listed(run.target.kind.resource, run.target.namespace),
        field_selector=f"metadata.name={run.target.name}",
    )
    async for change in changes:
        match change:
            case Synced(items=[item, *_]):
                newest.append(item)
            case Upserted(object=item):
                newest.append(item)
            case Removed():
                return
            case _:
                continue
        if objects.is_observed(newest[-1]):
            return
