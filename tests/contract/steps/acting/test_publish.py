"""The Event on the workload: it has a legal name, whatever the workload's is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from backout.core.outcome import Outcome, Result
from backout.kube import paths
from backout.steps.acting.publish import publish
from tests.contract.steps.shop import TARGET, Told, running

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer


@pytest.mark.parametrize("name", ["web", "a" * 39 + ".b", "a" * 38 + "--b", "a" * 253])
async def test_a_name_that_is_cut_at_a_dot_or_a_dash_makes_an_event_all_the_same(
    api: ApiServer, name: str
) -> None:
    told = Told()
    async with running(api, told, target=replace(TARGET, name=name)) as run:
        outcome = Outcome(result=Result.SUCCEEDED, message="rolled back")
        await publish(run, await run.client.get(paths.workload(TARGET)), outcome)

    assert told.events == []
    (made,) = api.all("events")
    assert made["involvedObject"]["name"] == name
