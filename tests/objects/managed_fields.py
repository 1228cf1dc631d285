"""Managed fields as the API server keeps them: what an applier has, and what a PATCH takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backout.core.heal.field_sets import ABSENT, parsed, value_at, written
from backout.core.heal.template_lists import by_identity
from backout.core.history.patch import MARKER
from backout.core.kubernetes.merge_keys import keys_of
from tests.objects.deployments import deployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backout.core.heal.field_sets import Path, Paths
    from tests.objects.metadata import Object

_TEMPLATE: Path = ("f:spec", "f:template")
_DEFAULTS = {"protocol": "TCP"}


def fields_of(manifest: Object) -> Paths:
    """Return the set that whoever applies this template has."""
    return frozenset(_walked(manifest, _TEMPLATE, ""))


def entry(manager: str, paths: Iterable[Path], *, operation: str = "Apply", at: int = 1) -> Object:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "time": f"2026-01-01T00:00:0{at}Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": written(paths),
    }


def workload(template: Object, *entries: Mapping[str, Any]) -> Object:
    return deployment(template, metadata={"managedFields": list(entries)})


def patched(before: Object, target: Object, *, op: str = "op") -> Object:
    """Return the workload after backout's PATCH."""
    entries = taken(before, target)
    return deployment(target, metadata={"managedFields": entries, "annotations": {MARKER: op}})


def taken(before: Object, target: Object) -> list[Object]:
    """Return the entries after backout's PATCH: what it changes is its own, and nobody else's."""
    now = {"spec": {"template": target}}
    everything = fields_of(target)
    inner = {path[:n] for path in everything for n in range(len(path))}
    changed = {p for p in everything if _is_changed(p, before, now, is_item=p in inner)}
    left = [
        {**e, "fieldsV1": written(_left(parsed(e["fieldsV1"]), everything) - changed)}
        for e in before["metadata"]["managedFields"]
    ]
    marker = ("f:metadata", "f:annotations", f"f:{MARKER}")
    ours = entry("backout", {*changed, marker}, operation="Update", at=9)
    return [*(e for e in left if e["fieldsV1"]), ours]


def _left(paths: Paths, everything: Paths) -> Paths:
    """Return what there still is of a manager's fields."""
    return frozenset(p for p in paths if p in everything or p[: len(_TEMPLATE)] != _TEMPLATE)


def _is_changed(path: Path, before: Object, now: Object, *, is_item: bool) -> bool:
    was, is_now = value_at(before, path), value_at(now, path)
    if was is ABSENT or is_item:
        return was is ABSENT
    # A struct that is emptied is in nobody's set (measured).
    return bool(was != is_now and not (is_now == {} and isinstance(was, dict)))


def _walked(value: Any, path: Path, field: str) -> Iterator[Path]:
    items = by_identity(field, value) if isinstance(value, list) else None
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _walked(child, (*path, f"f:{key}"), key)
    elif items is not None:
        for item in items.values():
            keys = {k: item.get(k, _DEFAULTS.get(k)) for k in keys_of(field)}
            element = "k:" + json.dumps(keys, separators=(",", ":"))
            yield (*path, element)
            yield from _walked(item, (*path, element), "")
    else:
        yield path
