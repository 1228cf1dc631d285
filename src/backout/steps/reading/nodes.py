"""Which nodes do not answer, and whether one may take a Pod again: asked where that decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.diagnosis import placement
from backout.core.errors import BackoutError
from backout.core.kubernetes import objects
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object
    from backout.steps.run import Run

MOST = 500
"""Nodes, one page: where there are more, some are always on their way."""
FEW = 10
"""Nodes that are asked for one by one: a list of thousands is no small thing to ask for."""
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

    async def ask(self, causes: Iterable[Cause], suspects: Collection[str] = ()) -> bool:
        """Read the nodes where only they can tell; return whether anything new is known.

        `suspects` are those of which it matters whether they answer.
        """
        told, now = list(causes), asyncio.get_running_loop().time()
        is_fresh = self._asked_at is not None and now - self._asked_at < PAUSE
        asks = placement.asks_for_nodes(told)
        if is_fresh or not (asks or suspects):
            return False
        self._asked_at, before = now, (self.may_return, self._silent)
        if asks:
            self.may_return = await self._read(told)
        self._silent = await self._silent_of(suspects)
        return (self.may_return, self._silent) != before

    async def _read(self, causes: Iterable[Cause]) -> bool:
        try:
            async with asyncio.timeout(LONGEST):
                items, is_cut = await self._run.client.first(paths.nodes(), MOST)
        except (BackoutError, TimeoutError):
            return True
        return is_cut or placement.may_return(items, causes)

    async def _silent_of(self, suspects: Collection[str]) -> frozenset[str]:
        """Return which of these nodes do not answer: each is asked for, many in one list."""
        fields = [f"metadata.name={name}" for name in sorted(suspects)]
        items: list[Object] = []
        try:
            async with asyncio.timeout(LONGEST):
                for one in fields if len(fields) <= FEW else [""]:
                    items += (await self._run.client.list(paths.nodes(), field_selector=one)).items
        except (BackoutError, TimeoutError):
            return frozenset()
        away = {objects.name(n) for n in items if not placement.answers(n)}
        return frozenset(away.intersection(suspects))


def suspected(kind: Kind, pods: Iterable[Object]) -> frozenset[str]:
    """Return the nodes of Pods that are not Ready, where a node of its own may be why."""
    if not kind.is_per_node:
        return frozenset()
    return frozenset(objects.node_of(p) for p in pods if not objects.is_ready(p)) - {""}
