"""What tells the items of a Pod template's lists apart, for a strategic merge and for SSA."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = ("name",)
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "containers": _NAME,
        "env": _NAME,
        "ephemeralContainers": _NAME,
        "hostAliases": ("ip",),
        "imagePullSecrets": _NAME,
        "initContainers": _NAME,
        "ports": ("containerPort", "protocol"),
        "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
        "volumeDevices": ("devicePath",),
        "volumeMounts": ("mountPath",),
        "volumes": _NAME,
    }
)
"""Source: the patch merge keys and list map keys of k8s.io/api/core/v1/types.go."""
DEFAULTS: Mapping[str, str] = MappingProxyType({"protocol": "TCP"})
"""What the API server takes for a key that an item does not have."""


def keys_of(field: str) -> tuple[str, ...]:
    """Return the fields that identify an item of this list; none where the list is atomic."""
    return _KEYS.get(field, ())
