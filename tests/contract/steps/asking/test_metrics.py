"""A metric is one more thing that must be well; alerts only tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.health.promql import parse
from backout.core.preflight.request import Request
from backout.prometheus.client import PrometheusClient
from backout.steps.undo import undo
from tests.contract.prometheus.stub import Stub, alerts, firing, vector
from tests.contract.scripted_server import Answer, Close, Hang, ScriptedServer
from tests.contract.steps.shop import QUICK, Told, running, states, within

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Step

LIMITS = replace(QUICK, health=1.0, preflight=0.5)
POLICY = Request(successes=2, metrics=(parse("rate(errors[1m]) < 0.05"),))


async def undone(api: ApiServer, script: Any, *, policy: Request = POLICY) -> Told:
    told = Told()
    async with (
        running(api, told, limits=LIMITS, policy=policy) as run,
        ScriptedServer(script) as server,
        PrometheusClient(server.url, timeout=0.3) as client,
    ):
        told.outcome = await undo(within(run, prometheus=client))
    return told


def values(told: Told, phase: str) -> list[Any]:
    return [e.fields["value"] for e in told.events if e.fields.get("phase") == phase]


async def test_a_metric_that_recovers_is_healthy(api: ApiServer) -> None:
    told = await undone(api, Stub([vector("0.5")] * 4 + [vector("0.01")]))

    assert told.result == "succeeded", told.text
    assert "metric rate(errors[1m]) < 0.05 answered well 2 times in a row" in told.message
    assert values(told, "before") == [0.5]
    assert values(told, "during")
    assert values(told, "after")[-2:] == [0.01, 0.01]


async def test_a_metric_that_stays_bad_is_unhealthy_although_the_service_answers(
    api: ApiServer,
) -> None:
    told = await undone(api, Stub([vector("0.01", "0.5")]))

    assert told.result == "failed"
    assert "rolled out, and unhealthy: metric rate(errors[1m]) < 0.05: 0.5 of {" in told.message
    assert states(api) == ["FAILED"]


@pytest.mark.parametrize(
    "step",
    [vector(), vector("NaN"), vector("-Inf"), vector("0", age=120), Answer(status=500), Hang()],
    ids=["empty", "NaN", "infinite", "stale", "500", "slow"],
)
async def test_what_was_not_measured_is_inconclusive_and_never_healthy(
    api: ApiServer, step: Step
) -> None:
    told = await undone(api, Stub([step]))

    assert told.result == "undecided"
    assert "rolled out (" in told.message
    assert "; health is inconclusive: metric" in told.message


async def test_where_no_service_is_found_the_metric_alone_decides(api: ApiServer) -> None:
    api.remove("services", "web")
    told = await undone(api, Stub([vector("0")]))

    assert told.result == "succeeded"
    assert "healthy: metric" in told.message
    assert any("not asked for health: no Service leads to port" in note for note in told.of("note"))


async def test_alerts_of_the_namespace_are_told_at_the_trigger(api: ApiServer) -> None:
    rows = [firing("Db", namespace="shop"), firing("Err", namespace="shop", app="web")]
    told = await undone(api, Stub([vector("0")], alerts(*rows, firing("X", namespace="y"))))

    (message,) = told.of("alerts")
    assert message == "2 alerts fire for namespace shop: Err (this workload), Db"


async def test_a_prometheus_that_does_not_answer_is_said_once_and_stops_nothing(
    api: ApiServer,
) -> None:
    told = await undone(api, lambda _: Close(), policy=Request(successes=1))

    assert told.result == "succeeded"
    assert len([n for n in told.of("note") if "alerts" in n]) == 1


async def test_a_slow_prometheus_holds_nothing_up(api: ApiServer) -> None:
    told = await undone(api, lambda _: Hang(), policy=Request(successes=1))

    assert told.result == "succeeded"
