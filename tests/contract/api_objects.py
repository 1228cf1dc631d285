"""Pure parts of the fake API server: patches, selectors and Status objects."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Object = dict[str, Any]


class Refused(Exception):  # noqa: N818 (it is an answer)
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, reason, message)


def status(code: int, reason: str, message: str) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def json_patched(obj: Object, ops: Sequence[Mapping[str, Any]]) -> Object:
    """Return the object after a JSON Patch; what RFC 6902 refuses is a 422, as on the real one."""
    patched = copy.deepcopy(obj)
    for op in ops:
        *way, last = [p.replace("~1", "/").replace("~0", "~") for p in op["path"].split("/")[1:]]
        parent: Any = patched
        for step in way:
            if step not in parent:
                raise Refused(422, "Invalid", "the server rejected our request")
            parent = parent[step]
        if op["op"] in {"replace", "remove"} and last not in parent:
            raise Refused(422, "Invalid", "the server rejected our request")
        if op["op"] == "remove":
            del parent[last]
        elif op["op"] in {"add", "replace"}:
            parent[last] = copy.deepcopy(op["value"])
        else:
            raise Refused(422, "Invalid", f"unexpected operation {op['op']}")
    return patched


def merge_patched(obj: Any, patch: Any) -> Any:
    """Return the object after a JSON Merge Patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(copy.deepcopy(obj)) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patched(merged.get(key), value)
    return merged


def selected(obj: Object, labels: str, fields: str) -> bool:
    """Tell whether equality selectors select the object."""
    present = obj["metadata"].get("labels") or {}
    for term in filter(None, labels.split(",")):
        key, _, value = term.partition("=")
        if present.get(key) != value:
            return False
    for term in filter(None, fields.split(",")):
        way, _, value = term.partition("=")
        found: Any = obj
        for step in way.split("."):
            found = found.get(step) if isinstance(found, dict) else None
        if found != value:
            return False
    return True
