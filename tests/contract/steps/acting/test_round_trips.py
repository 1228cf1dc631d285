"""How many round trips an undo takes: what does not depend on each other goes together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.preflight.request import Request
from tests.contract.api_server import ApiServer, is_undo, line_of
from tests.contract.steps.shop import deploy, shop, undone

if TYPE_CHECKING:
    from tests.contract.scripted_server import Received

QUIET = 0.15
"""Seconds without another request after which nothing more comes before an answer does."""


class Rounds:
    """Answers all that waits at once, when nothing more comes: that is one round trip.

    `lines` are the requests of each round, `opened` how many connections there were at its end.
    """

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self.opened: list[int] = []
        self.lines: list[list[str]] = [[]]
        self._opened = asyncio.Event()
        self._quiet: asyncio.TimerHandle | None = None
        api.before = self._hold

    async def _hold(self, request: Received) -> None:
        self.lines[-1].append("UNDO" if is_undo(request) else line_of(request))
        if self._quiet is not None:
            self._quiet.cancel()
        self._quiet = asyncio.get_running_loop().call_later(QUIET, self._answer)
        await self._opened.wait()

    def _answer(self) -> None:
        self.opened.append(self._api.connections)
        self._opened.set()
        self._opened = asyncio.Event()
        self.lines.append([])

    def before(self, line: str) -> int:
        """Return how many round trips were over when a request left."""
        return next(n for n, lines in enumerate(self.lines) if line in lines)

    def __str__(self) -> str:
        return "\n".join(f"{n}: {', '.join(lines)}" for n, lines in enumerate(self.lines))


async def test_the_patch_leaves_after_at_most_five_round_trips_and_the_end_takes_one() -> None:
    async with ApiServer() as api:
        shop(api)
        await undone(api)
        deploy(api, "127.0.0.1:1/app:bad2")
        rounds = Rounds(api)
        told = await undone(api, policy=Request(successes=1, baseline=True))

    assert told.result == "succeeded", told.text
    assert rounds.before("UNDO") <= 5, str(rounds)
    last = [lines for lines in rounds.lines if lines][-1]
    assert sorted(last) == ["POST events", "PUT leases"], str(rounds)


async def test_what_the_checks_need_waits_for_no_connection() -> None:
    """A connection that is opened then is two round trips more, for which all others wait."""
    async with ApiServer() as api:
        shop(api, replicas=3)
        rounds = Rounds(api)
        told = await undone(api, policy=Request(successes=1, baseline=True))

    assert told.result == "succeeded", told.text
    assert rounds.opened[0] == rounds.opened[rounds.before("UNDO") - 1], str(rounds)
