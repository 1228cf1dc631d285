"""A value of a template in two forms: as it stands, to be shown, and normalised, to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.kubernetes import template

if TYPE_CHECKING:
    from backout.core.model import Object


class Both(Struct, frozen=True, kw_only=True):
    """`raw` is the value as the API gave it; two values mean the same if `normal` is equal.

    The normal form has the same lists and keys, but for those that mean nothing.
    """

    raw: Any
    normal: Any

    @classmethod
    def of(cls, pod_template: Object) -> Both:
        """Return a whole template."""
        raw = template.without_hash(pod_template)
        return cls(raw=raw, normal=template.normalise(raw))

    def member(self, name: str) -> Both:
        """Return a field; nothing where it is not there, or means nothing."""
        if name not in self.normal:
            return NOTHING
        return Both(raw=self.raw[name], normal=self.normal[name])

    def as_map(self, key: str) -> Both:
        """Return an empty map for nothing where the field `key` holds one: both mean the same."""
        is_empty = self.normal is None and key in template.MAPS_AND_STRUCTS
        return Both(raw={}, normal={}) if is_empty else self

    def items(self) -> list[Both]:
        """Return the items of a list; none of nothing."""
        pairs = zip(self.raw or (), self.normal or (), strict=True)
        return [Both(raw=raw, normal=normal) for raw, normal in pairs]


NOTHING = Both(raw=None, normal=None)
