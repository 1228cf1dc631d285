"""What a namespace may have: ResourceQuotas and LimitRanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.objects.metadata import Object


def quota(hard: str, used: str, key: str = "requests.cpu", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q"},
        "spec": {"hard": {key: hard}, **spec},
        "status": {"hard": {key: hard}, "used": {key: used}},
    }


def limit_range(kind: str = "Container", **more: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "r"},
        "spec": {"limits": [{"type": kind, **more}]},
    }
