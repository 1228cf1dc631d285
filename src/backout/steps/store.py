"""Where lock and ledger lie: one object, a Lease, changed by compare-and-swap only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.model import Object


class LedgerStore(Protocol):
    """Where the Lease of one workload is read and written."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine sees it."""

    async def read(self) -> Object | None:
        """Return the Lease as it is now, None where there is none."""

    async def write(self, before: Object | None, body: Mapping[str, Any]) -> Object:
        """Write `body` if what stands there is still `before` (None: nothing); return it as kept.

        Raises Conflict or NotFound where it is not, Unclear where no clear answer came, and
        Forbidden with the Role.
        """
