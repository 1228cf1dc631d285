"""Keeps the lock while the rollout is watched: renews it, and knows when it is no longer ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.steps.concurrency import beside
from backout.steps.ledger.lease import Held, LockLost, renew

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from backout.steps.run import Run


def kept(run: Run, held: Held) -> AbstractAsyncContextManager[None]:
    """Renew the Lease every sixth of its duration while the block runs.

    Whoever acts asks the hold how fresh it is (`Held.check_fresh`); after the PATCH nothing is
    acted upon, so a lost lock only ends the renewing, and it is said.
    """
    return beside(_renewed(run, held))


async def _renewed(run: Run, held: Held) -> None:
    while True:
        await asyncio.sleep(run.limits.lease / 6)
        try:
            await renew(run, held)
        except LockLost as error:
            run.say(Noted(message=f"{error.message}; the rollout is still watched"))
            return
        except BackoutError as error:
            run.say(Noted(message=f"the lock could not be renewed: {error.message}"))
