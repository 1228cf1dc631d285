"""How fast a watch may ask again: never more than once a second, slower after failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.kube.retry import pause_after

if TYPE_CHECKING:
    from backout.kube.clock import Clock

INTERVAL = 1.0
LONGEST = 10.0
LONGEST_ASKED = 60.0


class Turns:
    """When one watch may ask; all times in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = clock.monotonic()
        self._failures = 0
        self._is_first = True

    async def turn(self) -> None:
        """Wait until it is time for the next request."""
        now = self._clock.monotonic()
        if now < self._next:
            await self._clock.sleep(self._next - now)
        self._next = self._clock.monotonic() + INTERVAL

    def allow_one(self) -> None:
        """Let the very first watch follow its list at once; later ones wait like everything."""
        if self._is_first:
            self._next = self._clock.monotonic()
        self._is_first = False

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0

    def failed(self, asked: float = 0.0) -> None:
        """Put the next turn off, doubling up to 10 s; or by what the server asked for."""
        self._failures += 1
        pause = pause_after(self._failures, first=2 * INTERVAL, longest=LONGEST)
        wait = max(pause, INTERVAL, min(asked, LONGEST_ASKED))
        self._next = max(self._next, self._clock.monotonic() + wait)
