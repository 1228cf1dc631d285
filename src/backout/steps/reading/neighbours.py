"""A name that does not exist -> the error that names its nearest neighbour, within a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, NotFound
from backout.core.kubernetes import objects
from backout.core.neighbours import nearest
from backout.kube import paths

if TYPE_CHECKING:
    from backout.steps.reading.place import Place

PATIENCE = 1.0
"""Seconds for all of it: a hint is not worth waiting for."""
SHOWN = 5
"""Names that are told where none is near."""


async def with_neighbour(place: Place, error: NotFound) -> NotFound:
    """Return the error with what may have been meant; as it is where that cannot be found out.

    The namespace is looked at only where it has no workload of the kind.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            message, remedy = await _told(place, error)
    except (BackoutError, TimeoutError):
        return error
    return NotFound(
        message, code=error.code, reason=error.reason, details=error.details, remedy=remedy
    )


async def _told(place: Place, error: NotFound) -> tuple[str, str]:
    target = place.target
    names = await _names(place, paths.listed(target.kind.resource, target.namespace))
    if names:
        return error.message, _meant(target.name, names, target.noun)
    spaces = await _names(place, paths.namespaces())
    if target.namespace in spaces:
        plural = target.kind.resource.plural
        return error.message, f"the namespace {target.namespace} has no {plural}"
    return (
        f"there is no namespace {target.namespace}",
        _meant(target.namespace, spaces, "", flag="-n "),
    )


async def _names(place: Place, path: str) -> list[str]:
    listing = await place.client.list(path, tries=1)
    return sorted(map(objects.name, listing.items))


def _meant(name: str, names: list[str], noun: str, *, flag: str = "") -> str:
    """Return what may have been meant, or what there is."""
    prefix = f"{noun}/" if noun else flag
    near = nearest(name, names)
    if near:
        return f"did you mean {prefix}{near}?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"name one that is there: {', '.join(names[:SHOWN])}{more}"
