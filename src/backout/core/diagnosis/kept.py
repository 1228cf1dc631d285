"""What was found of a Pod, kept while nothing of it changes: of thousands few change at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object


class Kept(Struct, frozen=True, kw_only=True):
    """The causes that were found of a Pod at `at`, in monotonic seconds of ours, and from what.

    `around` is all that was known beside the Pod and its own events; it is one object for as long
    as it is the same.
    """

    pod: Object
    events: Sequence[Object]
    around: object
    at: float
    causes: tuple[Cause, ...]

    def holds(self, pod: Object, events: Sequence[Object], around: object) -> bool:
        """Tell whether nothing has changed but the time: what was read again is another object."""
        return (
            self.pod is pod
            and len(self.events) == len(events)
            and all(a is b for a, b in zip(self.events, events, strict=True))
            and self.around is around
        )
