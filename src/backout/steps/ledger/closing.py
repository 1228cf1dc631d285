"""Writes the record and releases the lock, whatever else has gone wrong, within bounded time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.steps.ledger.lease import Held, change, see

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.ledger.edits import Edit
    from backout.steps.run import Run


class Closing:
    """The record of one operation. `held` is None until the lock is known to be ours.

    `references` are the versions of what its target names, as preflight read them: a healthy end
    remembers them.
    """

    def __init__(self, run: Run, references: Mapping[str, str]) -> None:
        self._run = run
        self._references = references
        self.held: Held | None = None

    async def note(self, edit: Edit) -> bool:
        """Write the record, and tell whether it was; where it fails the rollback goes on."""
        if self.held is None:
            return False
        try:
            await change(self._run, self.held, edit)
        except BackoutError as error:
            self._run.say(Noted(message=f"the record could not be written: {error.message}"))
            return False
        return True

    async def close(self, edit: Edit) -> bool:
        """Write the record and release the lock; return False where that could not be done."""
        try:
            async with asyncio.timeout(self._run.limits.wind_down):
                held = self.held or await self._found()
                if held is not None:
                    there = self._references
                    await change(self._run, held, edit, release=True, references=there)
                else:
                    self._say_maybe()
        except (BackoutError, TimeoutError) as error:
            why = error.message if isinstance(error, BackoutError) else "no answer in time"
            self._run.say(
                Noted(
                    message=f"the record could not be closed ({why}); the lock expires by itself "
                    f"within {self._run.limits.lease:g} s, and the next run settles the record "
                    "first"
                )
            )
            return False
        return True

    def _say_maybe(self) -> None:
        self._run.say(
            Noted(
                message="the lock is not seen to be ours; should a write that is still under way "
                f"take it, it expires by itself within {self._run.limits.lease:g} s"
            )
        )

    async def _found(self) -> Held | None:
        """Return the hold of an interrupted take whose write may have arrived."""
        seen = await see(self._run)
        if seen.lock.holder != self._run.op:
            return None
        now = asyncio.get_running_loop().time()
        return Held(epoch=seen.lock.epoch, record=self._run.op, confirmed=now)
