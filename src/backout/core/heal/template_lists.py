"""The items of a keyed list of a Pod template, by what identifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from backout.core.kubernetes.merge_keys import DEFAULTS, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Identity: TypeAlias = tuple[str, ...]


def by_identity(field: str, items: Any) -> dict[Identity, Mapping[str, Any]] | None:
    """Return the items of a keyed list by what identifies them, in their order.

    None where it is atomic, where it is no list of maps, or where two items have one identity.
    """
    keys = keys_of(field)
    if not keys or not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        return None
    found = {tuple(str(i.get(k, DEFAULTS.get(k, ""))) for k in keys): i for i in items}
    return found if len(found) == len(items) else None
