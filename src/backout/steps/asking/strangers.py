"""Finds Services that select Pods of other workloads, too: their answers are not this one's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.health.selected import others, takes_only
from backout.core.kubernetes import objects
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from backout.core.model import Object
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


async def strangers(run: Run, snapshot: Snapshot, names: Collection[str]) -> Mapping[str, str]:
    """Return of these Services which select running Pods of others, and whose, in words.

    One that asks for all that the workload's own selector does needs no look. Where the Pods cannot
    be listed nothing is said.
    """
    own = snapshot.workload["spec"]["selector"]
    wide = [
        one for one in snapshot.services if objects.name(one) in names and not takes_only(one, own)
    ]
    told = await asyncio.gather(*(_others(run, snapshot, one) for one in wide))
    return {objects.name(one): words for one, words in zip(wide, told, strict=True) if words}


async def _others(run: Run, snapshot: Snapshot, service: Object) -> str:
    selector = {"matchLabels": objects.dig(service, "spec", "selector", default={})}
    path = paths.pods(run.target.namespace)
    try:
        async with asyncio.timeout(run.limits.preflight):
            pods = await run.client.selected(path, selector)
    except (BackoutError, TimeoutError):
        return ""
    return others(service, snapshot.workload, pods)
