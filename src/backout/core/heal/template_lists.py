"""Which lists of a Pod template are keyed, and what identifies an item (strategic merge, SSA)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Identity: TypeAlias = tuple[str, ...]

_NAME = ("name",)
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "containers": _NAME,
        "initContainers": _NAME,
        "env": _NAME,
        "volumes": _NAME,
        "imagePullSecrets": _NAME,
        "volumeMounts": ("mountPath",),
        "volumeDevices": ("devicePath",),
        "ports": ("containerPort", "protocol"),
        "hostAliases": ("ip",),
        "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    }
)
"""Source: the patch merge keys and list map keys of k8s.io/api/core/v1/types.go."""
_DEFAULTS = MappingProxyType({"protocol": "TCP"})


def keys_of(field: str) -> tuple[str, ...]:
    """Return the fields that identify an item of this list; none where the list is atomic."""
    return _KEYS.get(field, ())


def by_identity(field: str, items: Any) -> dict[Identity, Mapping[str, Any]] | None:
    """Return the items of a keyed list by what identifies them, in their order.

    None where it is atomic, where it is no list of maps, or where two items have one identity.
    """
    keys = keys_of(field)
    if not keys or not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        return None
    found = {tuple(str(i.get(k, _DEFAULTS.get(k, ""))) for k in keys): i for i in items}
    return found if len(found) == len(items) else None
