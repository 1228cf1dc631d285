"""Our own look before a cause of somebody else is final: is it still missing.

A kubelet may not have read what is there by now, and a registry's replica may lag behind it. What a
container said last is looked at, too: only there stands that its program cannot be run at all.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from backout.core.diagnosis.groups import IMAGE, LOG, Found, Look
from backout.core.errors import BackoutError
from backout.core.images.names import ImageState
from backout.core.references.references import Reference, Referent
from backout.kube import paths
from backout.steps.reading import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.references.references import Named
    from backout.steps.run import Run

LONGEST = 3.0
"""Seconds of one look: a verdict is not held up by a registry that does not answer."""
PAUSE = 5.0
"""Seconds for which an answer is good; that of a log is for good."""
MOST_LOGS = 3
"""Logs that are read at a time: many Pods may end in the same way at once."""
_CANNOT_RUN = re.compile(r"\bexec format error\b", re.IGNORECASE)


class SecondLook:
    """Remembers what was found; `found` has what is known at this moment."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._answers: dict[Look, tuple[float, Found]] = {}

    @property
    def found(self) -> Mapping[Look, Found]:
        """What was found within the last seconds, and what logs have told."""
        now = asyncio.get_running_loop().time()
        return {
            look: found
            for look, (at, found) in self._answers.items()
            if now - at < PAUSE or (look.kind == LOG and found is not Found.UNTOLD)
        }

    async def take(self, due: Iterable[Look]) -> bool:
        """Look where no answer is good any more; return whether one was taken."""
        unknown = sorted(set(due) - self.found.keys())
        logs = [one for one in unknown if one.kind == LOG][:MOST_LOGS]
        wanted = [one for one in unknown if one.kind != LOG] + logs
        if not wanted:
            return False
        answers = await asyncio.gather(*(self._look(one) for one in wanted))
        now = asyncio.get_running_loop().time()
        self._answers |= {k: (now, a) for k, a in zip(wanted, answers, strict=True)}
        return True

    async def _look(self, look: Look) -> Found:
        try:
            async with asyncio.timeout(LONGEST):
                if look.kind == IMAGE:
                    return await self._image(look.name)
                if look.kind == LOG:
                    return await self._log(look)
                return await self._object(look)
        except (BackoutError, TimeoutError):
            return Found.UNTOLD

    async def _object(self, look: Look) -> Found:
        reference = Reference(kind=Referent(look.kind), name=look.name)
        known, unread = await references.read(self._run, [reference])
        if unread or reference not in known:
            return Found.UNTOLD
        return _of(known[reference], look.key)

    async def _image(self, image: str) -> Found:
        """Ask the registry as we may: what hides from strangers tells us nothing."""
        answer = await self._run.registry.ask(image, fresh=True)
        if answer.state is ImageState.EXISTS:
            return Found.REFUTED
        return Found.CONFIRMED if answer.state is ImageState.MISSING else Found.UNTOLD

    async def _log(self, look: Look) -> Found:
        path = paths.logs(self._run.target.namespace, look.name)
        asked = {"container": look.key, "tailLines": "3"}
        said = await self._run.client.text(path, params=asked, timeout=LONGEST)
        return Found.CONFIRMED if _CANNOT_RUN.search(said) else Found.REFUTED


def _of(known: Named, key: str) -> Found:
    if not known.exists:
        return Found.CONFIRMED
    if not key or known.unusable:
        return Found.CONFIRMED if known.unusable else Found.REFUTED
    if key in known.keys:
        return Found.REFUTED
    return Found.CONFIRMED if known.are_all else Found.UNTOLD
