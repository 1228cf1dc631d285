"""Two Pod templates -> the JSON Patch (RFC 6902) that makes the second of the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backout.core.difference.both import Both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.model import Object

TEMPLATE = "/spec/template"
"""Where a workload has its template."""


def operations(before: Object, after: Object, at: str = TEMPLATE) -> tuple[dict[str, Any], ...]:
    """Return the operations that make `after` of `before`, which stands at the pointer `at`.

    None where both mean the same. Lists of the same length are changed item by item, others are
    replaced whole. The label that the controller adds is left alone.
    """
    return tuple(_changed(at, Both.of(before), Both.of(after)))


def _changed(path: str, old: Both, new: Both) -> Iterator[dict[str, Any]]:
    if old.normal == new.normal:
        return
    if isinstance(old.normal, Mapping) and isinstance(new.normal, Mapping):
        for name in sorted({**old.normal, **new.normal}):
            yield from _member(f"{path}/{_escaped(name)}", name, old, new)
    elif isinstance(old.normal, list) and isinstance(new.normal, list) and _same_length(old, new):
        for place, (one, other) in enumerate(zip(old.items(), new.items(), strict=True)):
            yield from _changed(f"{path}/{place}", one, other)
    else:
        yield {"op": "replace", "path": path, "value": new.raw}


def _member(path: str, name: str, old: Both, new: Both) -> Iterator[dict[str, Any]]:
    if name not in old.normal:
        yield {"op": "add", "path": path, "value": new.raw[name]}
    elif name not in new.normal:
        yield {"op": "remove", "path": path}
    else:
        yield from _changed(path, old.member(name), new.member(name))


def _same_length(old: Both, new: Both) -> bool:
    return len(old.raw) == len(new.raw)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
