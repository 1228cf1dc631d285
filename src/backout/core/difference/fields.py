"""Two Pod templates -> the fields that differ, lists compared by the key that merges them.

Values are compared as the Deployment controller compares templates: quantities by value, nothing
and an empty list alike (core/kubernetes/template.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.difference.both import NOTHING, Both
from backout.core.kubernetes.merge_keys import DEFAULTS, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.model import Object


class Difference(Struct, frozen=True, kw_only=True):
    """One field that differs; `before` or `after` is None where it is not there.

    `path` leads to it from the template: `("spec", "containers", "web", "image")`. An item of a
    list stands in it by its key. A list whose items only stand in another order is told whole.
    """

    path: tuple[str, ...]
    before: Any
    after: Any


def differences(before: Object, after: Object) -> tuple[Difference, ...]:
    """Return what differs between two Pod templates, in the order of the paths."""
    return tuple(_walked((), "", Both.of(before), Both.of(after)))


def _walked(path: tuple[str, ...], key: str, old: Both, new: Both) -> Iterator[Difference]:
    if old.normal == new.normal:
        return
    old, new = old.as_map(key), new.as_map(key)
    if isinstance(old.normal, Mapping) and isinstance(new.normal, Mapping):
        for name in sorted({**old.normal, **new.normal}):
            yield from _walked((*path, name), name, old.member(name), new.member(name))
        return
    items, others = _keyed(key, old), _keyed(key, new)
    if items is None or others is None:
        yield Difference(path=path, before=old.raw, after=new.raw)
        return
    found = [
        one
        for name in dict.fromkeys([*items, *others])
        for one in _walked((*path, name), "", items.get(name, NOTHING), others.get(name, NOTHING))
    ]
    yield from found or [Difference(path=path, before=old.raw, after=new.raw)]


def _keyed(key: str, value: Both) -> dict[str, Both] | None:
    """Return a list's items by their key; None where they cannot be told apart by it."""
    keys = keys_of(key)
    if not keys or not isinstance(value.normal, list | None):
        return None
    items = value.items()
    named = {_name(i.raw, keys): i for i in items if isinstance(i.raw, Mapping)}
    return named if len(named) == len(items) and "" not in named else None


def _name(item: Mapping[str, Any], keys: Sequence[str]) -> str:
    return "/".join(str(item.get(k) or DEFAULTS.get(k, "")) for k in keys)
