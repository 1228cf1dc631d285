"""Managed fields as sets of paths: read from fieldsV1 and written as fieldsV1.

A path is a tuple of elements as the API server spells them: `f:NAME` a field, `k:{...}` an item of
a keyed list, `v:VALUE` an item of a set, `i:N` one by its place; `.` says that a node with children
is in the set itself (sigs.k8s.io/structured-merge-diff fieldpath/serialize.go).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backout.core.model import Object

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]
_ITSELF = "."
ABSENT: Any = object()


def parsed(fields: Mapping[str, Any]) -> Paths:
    """Return the set that fieldsV1 spells."""
    return frozenset(_walked(fields, ()))


def written(paths: Iterable[Path]) -> dict[str, Any]:
    """Return a set as fieldsV1."""
    root: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        if node:
            node[_ITSELF] = {}
    return root


def under(paths: Iterable[Path], prefix: Path) -> Paths:
    """Return the paths at or below `prefix`."""
    return frozenset(p for p in paths if p[: len(prefix)] == prefix)


def parents(path: Path, *, below: int) -> Iterator[Path]:
    """Return the strict prefixes of a path, the nearest first, none shorter than `below`."""
    return (path[:length] for length in range(len(path) - 1, below - 1, -1))


def value_at(obj: Object, path: Path) -> Any:
    """Return what stands at a path of an object, `ABSENT` where nothing does."""
    value: Any = obj
    for element in path:
        kind, _, rest = element.partition(":")
        if kind == "f":
            value = value.get(rest, ABSENT) if isinstance(value, dict) else ABSENT
        elif kind == "k":
            value = _item(value, rest)
        else:
            return ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def _item(items: Any, keys: str) -> Any:
    try:
        wanted = json.loads(keys).items()
    except (ValueError, AttributeError):
        return ABSENT
    if not isinstance(items, list):
        return ABSENT
    found = (i for i in items if isinstance(i, dict) and all(i.get(k) == v for k, v in wanted))
    return next(found, ABSENT)


def _walked(fields: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for element, children in fields.items():
        if element == _ITSELF:
            yield path
        elif isinstance(children, dict) and children:
            yield from _walked(children, (*path, element))
        else:
            yield (*path, element)
