"""Waits for somebody else's lock, and knows a dead holder by its silence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.checks.breaker import UNDER_WAY, held_by
from backout.core.errors import ApiError
from backout.core.events.acting import LockAwaited
from backout.core.plan.plan import Refusal
from backout.steps.ledger.lease import LockLost, Silent, see
from backout.steps.ledger.recover import may_take

if TYPE_CHECKING:
    from backout.steps.ledger.lease import Seen
    from backout.steps.run import Run

LOOKS = 12
"""Looks in a lease's duration, one a second at most."""


class Waited(Struct, frozen=True, kw_only=True):
    """How waiting ended: with the Lease as last `seen`, which may be taken now if `is_free`.

    `holder` is the operation waited for, empty where there was none. `silent` says that it gave no
    sign of life, None where it let go, or has not been silent for long enough.
    """

    seen: Seen
    is_free: bool
    holder: str = ""
    silent: Silent | None = None


async def until_free(run: Run, *, patience: float) -> Waited:
    """Wait until the lock may be taken, `patience` seconds at most; say once for whom."""
    clock = asyncio.get_running_loop().time
    until = clock() + patience
    version, since, holder = "", clock(), ""
    while True:
        seen = await see(run)
        is_free = may_take(run, seen)
        if is_free or clock() >= until:
            return Waited(seen=seen, is_free=is_free, holder=holder)
        if seen.version != version:
            version, since = seen.version, clock()
        duration = seen.lock.duration.total_seconds()
        if clock() - since > duration:
            silent = Silent(version=version)
            return Waited(seen=seen, is_free=True, holder=holder, silent=silent)
        if holder != seen.lock.holder:
            words = held_by(seen.lock, seen.ledger, seen.now)
            run.say(
                LockAwaited(message=f"{words}; waiting for it, {until - clock():.0f} s at most")
            )
        holder = seen.lock.holder
        await asyncio.sleep(min(1.0, max(0.05, duration / LOOKS), max(0.0, until - clock())))


class Waiting:
    """What `--wait-lock` allows an undo: one span of time, however often the lock is lost."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + run.limits.wait_lock

    async def for_the_lock(self) -> Silent | None:
        """Wait; return whose holder was silent meanwhile, None where it was not.

        Without the right to read the Lease the checks say so.
        """
        if not self._run.limits.wait_lock:
            return None
        try:
            waited = await until_free(self._run, patience=max(0.0, self._until - self._clock()))
        except (ApiError, LockLost):
            return None
        return waited.silent

    def goes_on(self, plan: object) -> bool:
        """Tell whether a refusal is only the lock's, and there is time to wait on."""
        return (
            isinstance(plan, Refusal)
            and {b.id for b in plan.blocks} == {UNDER_WAY.id}
            and self._clock() < self._until
        )
