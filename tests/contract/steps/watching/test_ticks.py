"""A state that has not changed is judged again, of many Pods less often: waiting is cheap."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from backout.core.diagnosis import finality
from backout.core.kubernetes.template import digest
from backout.steps.watching.ticks import fresh_for, tick_after
from backout.steps.watching.watch import Watch, Watched
from tests.contract.api_server import ApiServer
from tests.contract.steps.shop import running, shop


@pytest.mark.parametrize(("took", "tick"), [(0.0, 1.0), (0.03, 1.0), (0.1, 2.5), (60.0, 4.0)])
def test_a_look_that_costs_much_is_repeated_less_often(took: float, tick: float) -> None:
    assert tick_after(took) == pytest.approx(tick)


def test_however_much_a_look_costs_a_trouble_is_seen_again_before_it_is_forgotten() -> None:
    assert tick_after(3600.0) < finality.GAP


@pytest.mark.parametrize(("pods", "seconds"), [(1, 1.0), (400, 1.0), (800, 2.0), (9000, 4.0)])
def test_what_was_found_of_few_pods_is_good_for_a_tick_and_of_many_for_longer(
    pods: int, seconds: float
) -> None:
    assert fresh_for(pods) == pytest.approx(seconds)


async def test_what_a_watch_has_spent_on_a_look_decides_when_it_looks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "thread_time", itertools.count(step=0.1).__next__)
    async with ApiServer() as api, running(shop(api)) as run:
        web = api.get("deployments", "web")
        watched = Watched(workload=web, wanted=digest(web["spec"]["template"]))
        async with Watch(run, watched, deadline=asyncio.get_running_loop().time() + 1) as watch:
            await watch.verdict()
            assert watch._tick == pytest.approx(2.5)
