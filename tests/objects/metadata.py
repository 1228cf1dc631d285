"""What objects of every kind have: who they are, who owns them, and how an override is merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
NAMESPACE = "shop"


def merged(made: Mapping[str, Any], change: Mapping[str, Any] | None) -> Object:
    """Return `made` with `change` over it: maps are merged, an empty map empties, all else stands.

    Neither is changed, and the result shares no map with them.
    """
    result = {key: _copied(value) for key, value in made.items()}
    for key, value in (change or {}).items():
        there = result.get(key)
        if value and isinstance(value, Mapping) and isinstance(there, dict):
            result[key] = merged(there, value)
        else:
            result[key] = _copied(value)
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list | tuple) else value


def stored(name: str, change: Mapping[str, Any] | None = None, **fields: Any) -> Object:
    """Return the metadata of an object that the API server has: its uid is told by its name."""
    made = {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", **fields}
    return merged(made, change)


def owned_by(uid: str, *, kind: str = "Owner", name: str = "owner") -> list[Object]:
    return [{"kind": kind, "name": name, "uid": uid, "controller": True}]


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}
