"""Pod templates: normalise, compare and hash.

Two templates are equal when the Deployment controller would not make a new ReplicaSet for the
second: `apiequality.Semantic.DeepEqual` after `pod-template-hash` is taken out (kubernetes
pkg/controller/deployment/util/deployment_util.go, EqualIgnoreHash). There nil and empty slices and
maps are equal and quantities are compared by value; a pointer to an empty struct (`emptyDir: {}`)
is not the same as no pointer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backout.core.kubernetes import quantity

if TYPE_CHECKING:
    from backout.core.model import Object

HASH_LABEL = "pod-template-hash"

MAPS_AND_STRUCTS = frozenset(
    {
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "metadata",
        "nodeSelector",
        "options",
        "overhead",
        "requests",
        "resources",
        "volumeAttributes",
    }
)
"""Fields whose Go type is a map or a plain struct, where `{}` means the same as nothing."""

_STRING_MAPS = frozenset(
    {"annotations", "labels", "matchLabels", "nodeSelector", "options", "volumeAttributes"}
)
"""Maps whose keys are the user's: nothing in them is a field, and every value counts."""

_QUANTITY_MAPS = frozenset({"limits", "requests", "overhead"})
_QUANTITIES = frozenset({"sizeLimit", "divisor"})


def without_hash(template: Object) -> dict[str, Any]:
    """Return the template without the label that the controller adds; nothing else is touched."""
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    if labels:
        metadata["labels"] = labels
    else:
        metadata.pop("labels", None)
    return {**template, "metadata": metadata}


def normalise(template: Object) -> dict[str, Any]:
    """Return the one form that all equal templates share. For comparing, never for sending."""
    return _normal_map(without_hash(template))


def same(one: Object, other: Object) -> bool:
    """Tell whether the controller takes both for the same template."""
    return normalise(one) == normalise(other)


def digest(template: Object) -> str:
    """Return the SHA-256 (hex) of the normalised template as canonical JSON."""
    text = json.dumps(normalise(template), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def images(template: Object) -> dict[str, str]:
    """Return container name -> image of all containers and init containers."""
    spec = template.get("spec") or {}
    every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return {str(c.get("name", "")): str(c.get("image", "")) for c in every}


def images_in_words(template: Object) -> str:
    """Return `image A, B`: what its containers and init containers name, each once."""
    return "image " + ", ".join(dict.fromkeys(images(template).values()))


def _normal_map(value: Mapping[str, Any]) -> dict[str, Any]:
    normal = {key: _normal(key, child) for key, child in value.items()}
    is_pod_spec = "containers" in value
    return {
        k: v
        for k, v in normal.items()
        if not _is_nothing(k, v) or (is_pod_spec and k == "resources" and v == {})
    }


def _normal(key: str, value: Any) -> Any:
    if key in _QUANTITY_MAPS and isinstance(value, Mapping):
        return {name: _quantity(amount) for name, amount in value.items()}
    if key in _STRING_MAPS and isinstance(value, Mapping):
        return dict(value)
    if key in _QUANTITIES and isinstance(value, str | int | float):
        return _quantity(value)
    if isinstance(value, Mapping):
        return _normal_map(value)
    if isinstance(value, list):
        return [_normal("", item) for item in value]
    return value


def _is_nothing(key: str, value: Any) -> bool:
    if key == "divisor":
        return value in (None, "0/1")
    return value is None or value == [] or (value == {} and key in MAPS_AND_STRUCTS)


def _quantity(amount: Any) -> Any:
    exact = quantity.value(amount) if isinstance(amount, str | int | float) else None
    return amount if exact is None else f"{exact.numerator}/{exact.denominator}"
