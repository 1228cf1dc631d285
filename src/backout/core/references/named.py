"""What is known of an object that a template names: from its metadata, or from all of it.

Of a ConfigMap or Secret that is its keys by managed fields, where they show all: no value is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.kubernetes import managed_fields, objects
from backout.core.references.references import Named

if TYPE_CHECKING:
    from backout.core.model import Object

_DATA = ("data", "binaryData")
_WRITTEN = "stringData"
"""A Secret's data as it was sent: who applies it server-side owns this instead (measured)."""


def of_counted(found: Object, count: int | None) -> Named:
    """Return what the metadata of a ConfigMap or Secret tells that has so many keys.

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
        changed=managed_fields.last_change(found, *_DATA, _WRITTEN),
        version=objects.resource_version(found),
    )


def with_all_keys(known: Named, config_map: Object) -> Named:
    """Return what is known of a ConfigMap, with the keys that it has."""
    held = frozenset(k for field in _DATA for k in objects.dig(config_map, field, default={}))
    return replace(known, keys=held, are_all=True)


def of_claim(claim: Object) -> Named:
    """Return what is known of a PersistentVolumeClaim."""
    return Named(
        exists=True,
        waits_for=_waits_for(claim),
        unusable=_unusable(claim),
        modes=frozenset(objects.dig(claim, "spec", "accessModes", default=[])),
    )


def of_runtime_class(found: Object) -> Named:
    """Return what is known of a RuntimeClass."""
    return Named(exists=True, overhead=objects.dig(found, "overhead", "podFixed", default={}))


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
