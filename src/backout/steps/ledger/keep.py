"""Keeps the lock while the rollout is watched: renews it, and knows when it is no longer ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from backout.core.errors import BackoutError
from backout.steps.ledger.lease import Held, LockLost, renew

if TYPE_CHECKING:
    from types import TracebackType

    from backout.steps.run import Run


class Keeper:
    """Renews the Lease every sixth of its duration, in the background, while it is entered.

    Whoever acts asks the hold how fresh it is (`Held.check_fresh`); after the PATCH nothing is
    acted upon, so a lost lock only ends the renewing, and it is said.
    """

    def __init__(self, run: Run, held: Held) -> None:
        self._run = run
        self._held = held
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._run.limits.lease / 6)
            try:
                await renew(self._run, self._held)
            except LockLost as error:
                self._run.say("note", f"{error.message}; the rollout is still watched")
                return
            except BackoutError as error:
                self._run.say("note", f"the lock could not be renewed: {error.message}")
