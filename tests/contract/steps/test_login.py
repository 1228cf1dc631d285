"""A login comes before everything that is read, and counts for the time of the whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from backout.core.errors import BackoutError
from backout.steps.login import logged_in
from tests.contract.steps.shop import QUICK, running

if TYPE_CHECKING:
    from backout.steps.run import Run
    from tests.contract.api_server import ApiServer


def taking(run: Run, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let the login of a run take so long, by the loop's clock."""
    loop = asyncio.get_running_loop()
    real = loop.time

    async def log_in() -> None:
        monkeypatch.setattr(loop, "time", lambda: real() + seconds)
        for _ in range(3):  # whatever is due by now comes first
            await asyncio.sleep(0)

    monkeypatch.setattr(run.client, "log_in", log_in)
    return run


async def test_the_time_that_a_login_took_is_not_there_for_the_rest(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(api, limits=replace(QUICK, total=300.0)) as run:
        left = (await logged_in(taking(run, 120.5, monkeypatch))).limits.total
    assert left == 180.0


async def test_without_a_limit_there_is_none_after_a_login(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(api, limits=replace(QUICK, total=None)) as run:
        assert (await logged_in(taking(run, 3600, monkeypatch))).limits.total is None


async def test_a_login_that_takes_longer_than_the_whole_may_is_an_error(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(api, limits=replace(QUICK, total=60.0)) as run:
        with pytest.raises(BackoutError, match="time was up after 60 s, while the credential"):
            await logged_in(taking(run, 61, monkeypatch))
