"""How many round trips it takes to look: a command that only reads is asked for in an incident."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backout.steps.check import check
from backout.steps.explain import explain
from tests.contract.api_server import ApiServer, line_of
from tests.contract.steps.acting.test_round_trips import Rounds
from tests.contract.steps.shop import GOOD, Told, crash_looping, deploy, running, shop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.core.outcome import Outcome
    from backout.steps.run import Run
    from tests.contract.scripted_server import Received


async def rounds_of(
    what: Callable[[Run], Awaitable[Outcome]], *, fails: bool
) -> tuple[list[list[str]], Told]:
    """Return the requests of each round trip; all connections must be there before the first."""
    told = Told()
    async with ApiServer() as api:
        shop(api)
        if fails:
            crash_looping(api, "panic")
        else:
            deploy(api, GOOD)
        rounds = Rounds(api)
        async with running(api, told) as run:
            told.outcome = await what(run)
    assert len(set(rounds.opened)) == 1, f"{rounds}\nconnections: {rounds.opened}"
    return [sorted(lines) for lines in rounds.lines if lines], told


FIRST = [
    ["GET deployments", "LIST events"],
    ["LIST pods", "LIST replicasets"],
]


async def test_explain_takes_two_round_trips_where_all_is_well() -> None:
    rounds, _ = await rounds_of(explain, fails=False)
    assert rounds == FIRST


async def test_explain_takes_one_more_for_the_log_and_reads_nothing_twice() -> None:
    rounds, told = await rounds_of(explain, fails=True)
    assert rounds == [*FIRST, ["GET leases", "GET pods/proxy"]]
    assert "roll back to revision 1 (app:good): backout undo deployment/web -n shop" in told.text


@pytest.mark.parametrize("fails", [False, True])
async def test_a_check_takes_three_round_trips(*, fails: bool) -> None:
    rounds, _ = await rounds_of(check, fails=fails)
    assert len(rounds) == 3, rounds


async def test_explain_waits_for_no_connection_where_the_events_are_slow() -> None:
    """A connection that is opened for a list is two round trips more."""
    listed = asyncio.Event()
    async with ApiServer() as api:
        shop(api)
        before: list[int] = []

        async def hold(request: Received) -> None:
            line = line_of(request)
            if line == "LIST events":
                await listed.wait()
            elif line == "GET deployments":
                while api.connections < 3:  # noqa: ASYNC110 (nobody tells of a connection)
                    await asyncio.sleep(0)
                before.append(api.connections)
            elif line in FIRST[1]:
                before.append(api.connections)
                if len(before) == 3:
                    listed.set()

        api.before = hold
        async with asyncio.timeout(20), running(api) as run:
            await explain(run)
    assert before == [3, 3, 3]
