from __future__ import annotations

import asyncio

import pytest

from backout.steps.concurrency import race, running


async def waits_for(event: asyncio.Event) -> str:
    await event.wait()
    return "came"


async def fails() -> None:
    raise ValueError("no")


async def test_a_race_is_over_with_the_first_and_the_others_go_on() -> None:
    first, never = asyncio.Event(), asyncio.Event()
    first.set()
    async with running(waits_for(first)) as one, running(waits_for(never)) as other:
        assert await race(one, other, within=None)
        assert one.result() == "came"
        assert not other.done()
    assert other.cancelled()


async def test_a_race_that_nobody_ends_is_over_in_time() -> None:
    async with running(waits_for(asyncio.Event())) as one:
        assert not await race(one, within=0.01)


async def test_what_runs_beside_a_block_has_ended_when_an_error_leaves_it() -> None:
    with pytest.raises(KeyError):
        async with running(waits_for(asyncio.Event())) as one:
            raise KeyError
    assert one.cancelled()


async def test_an_error_is_told_to_who_asks_for_the_result() -> None:
    async with running(fails()) as one:
        assert await race(one, within=None)
    with pytest.raises(ValueError, match="no"):
        one.result()
