"""What is so with most kinds of workload: a kind that differs says so itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from backout.core.kinds.kind import PodsSeen, StuckPod
    from backout.core.model import Object


class Ordinary(Struct, frozen=True, kw_only=True):
    """A rollout reaches every Pod, waits for none in vain, and has no deadline of its own."""

    def unreached(self, workload: Object) -> str:  # noqa: ARG002 (the protocol's)
        """Return nothing."""
        return ""

    def stuck(self, workload: Object, seen: PodsSeen) -> StuckPod | None:  # noqa: ARG002
        """Return none."""
        return None

    def as_made(self, workload: Object, template: Object) -> Object:  # noqa: ARG002
        """Return the template as it is."""
        return template

    def deadline(self, workload: Object) -> int | None:  # noqa: ARG002
        """Return none."""
        return None
