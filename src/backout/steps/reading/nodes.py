"""Which nodes do not answer, and whether one may take a Pod again: asked where that decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.diagnosis import placement
from backout.core.errors import BackoutError
from backout.core.kubernetes import objects
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object
    from backout.steps.run import Run

MOST = 500
"""Nodes, one page: where there are more, some are always on their way."""
LONGEST = 3.0
PAUSE = 5.0
"""Seconds for which an answer is good."""


class Nodes:
    """Remembers what was read; `may_return` is true as long as nothing says otherwise.

    A node that could not be read counts as one that answers: it is waited for.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked_at: float | None = None
        self._silent: frozenset[str] = frozenset()
        self.may_return = True

    def lost(self, pods: Iterable[Object]) -> frozenset[str]:
        """Return the nodes of these Pods that do not answer, as far as they were read."""
        return self._silent & {objects.node_of(p) for p in pods} if self._silent else self._silent

    async def ask(self, causes: Iterable[Cause], *, always: bool = False) -> bool:
        """Read the nodes where only they can tell; return whether anything is known anew."""
        told, now = list(causes), asyncio.get_running_loop().time()
        is_fresh = self._asked_at is not None and now - self._asked_at < PAUSE
        if is_fresh or not (always or placement.asks_for_nodes(told)):
            return False
        self._asked_at, before = now, (self.may_return, self._silent)
        await self._read(told, whole=always)
        return (self.may_return, self._silent) != before

    async def _read(self, causes: Iterable[Cause], *, whole: bool) -> None:
        """Read one page of the nodes, or, where it matters which node it is, the `whole` list."""
        client, is_cut = self._run.client, False
        items: Sequence[Object]
        try:
            async with asyncio.timeout(LONGEST):
                if whole:
                    items = (await client.list(paths.nodes())).items
                else:
                    items, is_cut = await client.first(paths.nodes(), MOST)
        except (BackoutError, TimeoutError):
            self.may_return, self._silent = True, frozenset()
            return
        self.may_return = is_cut or placement.may_return(items, causes)
        self._silent = frozenset(objects.name(n) for n in items if not placement.answers(n))
