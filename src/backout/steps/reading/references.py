"""Reads what a template names: whether it is there, its keys and when it changed; no values."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, NotFound
from backout.core.references import named, references
from backout.core.references.references import Named, Reference, Referent
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object
    from backout.steps.run import Run

_WHOLE = {Referent.CLAIM: named.of_claim, Referent.RUNTIME_CLASS: named.of_runtime_class}
"""Of these more is read than metadata: neither holds anything secret."""
AT_ONCE = 10
"""Requests at the same time: a template that names 200 ConfigMaps does not flood the server."""


async def read(
    run: Run, wanted: Iterable[Reference]
) -> tuple[Mapping[Reference, Named], Mapping[Referent, str]]:
    """Return what was found by each name, and why a kind could not be read."""
    gate = asyncio.Semaphore(AT_ONCE)
    unread: dict[Referent, str] = {}

    async def one(reference: Reference) -> tuple[Reference, Named] | None:
        async with gate:
            try:
                return reference, await _named(run, reference)
            except BackoutError as error:
                unread[reference.kind] = error.message
                return None

    found = await asyncio.gather(*(one(r) for r in sorted(set(wanted))))
    return dict(pair for pair in found if pair is not None), unread


async def read_versioned(run: Run, template: Object) -> Mapping[Reference, Named]:
    """Return what is known of the ConfigMaps and Secrets that it uses, within the preflight budget.

    What could not be read, for lack of a right or of time, is left out.
    """
    try:
        async with asyncio.timeout(run.limits.preflight):
            found, _ = await read(run, references.versioned(template))
    except TimeoutError:
        return {}
    return found


async def _named(run: Run, reference: Reference) -> Named:
    client, kind = run.client, reference.kind
    path = paths.named(run.target.namespace, str(kind), reference.name)
    try:
        if kind in references.VERSIONED:
            known = named.of_counted(*await client.counted(path))
            # One that is created empty has no managed fields, ever after: of no secret, look.
            is_hidden = kind is Referent.CONFIG_MAP and not known.are_all
            return named.with_all_keys(known, await client.get(path)) if is_hidden else known
        if kind in _WHOLE:
            return _WHOLE[kind](await client.get(path))
        await client.metadata(path)
    except NotFound:
        return Named(exists=False)
    return Named(exists=True)
