"""Reads what a template names: whether it is there, its keys and when it changed; no values."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core import changes, objects, references
from backout.core.errors import BackoutError, NotFound
from backout.core.references import Kind, Named, Reference
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object
    from backout.steps.run import Run

_WHOLE = {Kind.CLAIM, Kind.RUNTIME_CLASS}
"""Of these more is read than metadata: neither holds anything secret."""
AT_ONCE = 10
"""Requests at the same time: a template that names 200 ConfigMaps does not flood the server."""
_DATA = ("data", "binaryData")
_WRITTEN = "stringData"
"""A Secret's data as it was sent: who applies it server-side owns this instead (measured)."""


async def read(
    run: Run, wanted: Iterable[Reference]
) -> tuple[Mapping[Reference, Named], Mapping[Kind, str]]:
    """Return what was found by each name, and why a kind could not be read."""
    gate = asyncio.Semaphore(AT_ONCE)
    unread: dict[Kind, str] = {}

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

    What could not be read, for want of a right or of time, is left out.
    """
    try:
        async with asyncio.timeout(run.limits.preflight):
            found, _ = await read(run, references.versioned(template))
    except TimeoutError:
        return {}
    return found


async def _named(run: Run, reference: Reference) -> Named:
    path = paths.named(run.target.namespace, str(reference.kind), reference.name)
    try:
        if reference.kind in references.VERSIONED:
            known = counted(*await run.client.counted(path))
            if known.are_all or reference.kind is Kind.SECRET:
                return known
            # What is created empty has no managed fields, ever after: of no secret, look.
            return replace(known, keys=_held(await run.client.get(path)), are_all=True)
        is_whole = reference.kind in _WHOLE
        found = await (run.client.get(path) if is_whole else run.client.metadata(path))
    except NotFound:
        return Named(exists=False)
    if reference.kind is Kind.CLAIM:
        return Named(exists=True, waits_for=_waits_for(found), unusable=_unusable(found))
    if reference.kind is Kind.RUNTIME_CLASS:
        return Named(exists=True, overhead=objects.dig(found, "overhead", "podFixed", default={}))
    return Named(exists=True)


def counted(found: Object, count: int | None) -> Named:
    """Return what is known of a ConfigMap or Secret that has so many keys.

    Fewer may be shown: what is applied server-side as `stringData`, and then no longer, keeps its
    key, and no manager owns it (measured on 1.34.4). So a key that was written so is taken to be
    there where that makes the number, and none is taken to be gone.
    """
    shown = keys(found, *_DATA)
    likely = shown | keys(found, _WRITTEN)
    return Named(
        exists=True,
        keys=likely if len(likely) == count else shown,
        are_all=len(shown) == count,
        changed=changes.last_change(found, *_DATA, _WRITTEN),
        version=objects.resource_version(found),
    )


def _held(config_map: Object) -> frozenset[str]:
    return frozenset(k for field in _DATA for k in objects.dig(config_map, field, default={}))


def _waits_for(claim: Object) -> str:
    """Return the StorageClass of a claim that nothing has bound yet; empty where it names none."""
    is_pending = objects.dig(claim, "status", "phase", default="Pending") == "Pending"
    return str(objects.dig(claim, "spec", "storageClassName", default="")) if is_pending else ""


def _unusable(claim: Object) -> str:
    """Return why no new Pod can use a claim (podHasPVCs in kubernetes .../volumebinding)."""
    if objects.dig(claim, "metadata", "deletionTimestamp"):
        return "is being deleted"
    is_lost = objects.dig(claim, "status", "phase") == "Lost"
    return "has lost its PersistentVolume" if is_lost else ""


def keys(found: Object, *fields: str) -> frozenset[str]:
    """Return the keys of such fields that managed fields show; values are not there.

    A key that is removed leaves every manager's entry (structured-merge-diff).
    """
    entries = [
        objects.dig(e, "fieldsV1", default={})
        for e in objects.dig(found, "metadata", "managedFields", default=[])
    ]
    owned = [objects.dig(e, f"f:{field}", default={}) for e in entries for field in fields]
    return frozenset(k.removeprefix("f:") for fields in owned for k in fields if k[:2] == "f:")
