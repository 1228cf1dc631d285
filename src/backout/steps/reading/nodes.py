"""Whether a node that takes no Pod now may do so again: asked only where that decides a verdict."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.diagnosis import placement
from backout.core.errors import BackoutError
from backout.core.kubernetes import objects
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.diagnosis.causes import Cause
    from backout.steps.run import Run

MOST = 500
"""Nodes, one page: where there are more, some are always on their way."""
LONGEST = 3.0
PAUSE = 5.0
"""Seconds for which an answer is good."""


class Nodes:
    """Remembers what was read; `may_return` is true as long as nothing says otherwise."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked_at: float | None = None
        self.may_return = True

    async def ask(self, causes: Iterable[Cause]) -> bool:
        """Read the nodes where only they can tell; return whether anything is known anew."""
        told, now = list(causes), asyncio.get_running_loop().time()
        is_fresh = self._asked_at is not None and now - self._asked_at < PAUSE
        if is_fresh or not placement.asks_for_nodes(told):
            return False
        self._asked_at, before = now, self.may_return
        self.may_return = await self._read(told)
        return self.may_return != before

    async def _read(self, causes: Iterable[Cause]) -> bool:
        try:
            async with asyncio.timeout(LONGEST):
                found = await self._run.client.get(paths.nodes(), {"limit": str(MOST)})
        except (BackoutError, TimeoutError):
            return True
        is_cut = bool(objects.dig(found, "metadata", "continue"))
        return is_cut or placement.may_return(objects.dig(found, "items", default=[]), causes)
