"""Which objects a LabelSelector selects, told without asking the API server again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

REVISION_HASH = "controller-revision-hash"
"""Says of which ControllerRevision a Pod was made (apps/v1, ControllerRevisionHashLabelKey)."""


class Labelled:
    """A list that is asked by many selectors: each looks only at what shares a label with it."""

    def __init__(self, items: Iterable[Object]) -> None:
        self._items = tuple(items)
        self._by_label: dict[tuple[str, str], list[Object]] = {}
        for item in self._items:
            for label in objects.labels_of(item).items():
                self._by_label.setdefault(label, []).append(item)

    def selected(self, selector: Object) -> tuple[Object, ...]:
        """Return what a LabelSelector selects, in the order of the list."""
        wanted = objects.dig(selector, "matchLabels", default={})
        shares = [self._by_label.get(label, []) for label in wanted.items()]
        candidates = min(shares, key=len, default=self._items)
        return tuple(i for i in candidates if objects.selects(selector, objects.labels_of(i)))
