"""A metric is one more thing that must be well; alerts and notifications only tell."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.health.promql import parse
from backout.core.preflight.request import Request
from backout.core.report.notification import signature
from backout.http.client import HttpClient
from backout.prometheus.client import PrometheusClient
from backout.steps import notify
from backout.steps.notifier import Notifier
from backout.steps.undo import undo
from tests.contract.prometheus.stub import Stub, alerts, firing, vector
from tests.contract.scripted_server import Answer, Close, Hang, ScriptedServer
from tests.contract.steps.shop import QUICK, TRACE, Told, image, running, states, within

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Step

LIMITS = replace(QUICK, health=1.0, preflight=0.5)
POLICY = Request(successes=2, metrics=(parse("rate(errors[1m]) < 0.05"),))
KEY = b"key"


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
    assert "rolled out; health is inconclusive: metric" in told.message


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


async def notified(
    api: ApiServer, script: Any, *, key: bytes = KEY, patience: float = 3.0
) -> tuple[Told, list[Any]]:
    told = Told()
    policy = Request(successes=1)
    async with (
        running(api, told, limits=LIMITS, policy=policy) as run,
        ScriptedServer(script) as server,
        HttpClient() as session,
    ):
        url = f"{server.url}/hook?secret=s3cr3t"
        notifier = Notifier(session, url, key=key, patience=patience)
        notified = within(run, notifier=notifier)
        told.outcome = await undo(notified)
        await notify.end(notified, told.outcome)
    return told, server.requests


async def test_announcement_and_outcome_are_posted_once_each_and_signed(api: ApiServer) -> None:
    told, requests = await notified(api, lambda _: Answer(status=204))

    assert told.of("warning") == []
    assert [r.method for r in requests] == ["POST", "POST"]
    first, last = (json.loads(r.body) for r in requests)
    assert (first["kind"], first["revision"], first["traceID"]) == ("triggered", 1, TRACE)
    assert first["text"].startswith("rollback triggered for deployment/web to revision=1")
    assert (last["kind"], last["outcome"], last["health"]) == ("outcome", "succeeded", "Healthy")
    for request in requests:
        assert request.headers["x-backout-signature"] == signature(KEY, request.body)


async def test_without_a_key_nothing_is_signed(api: ApiServer) -> None:
    _, requests = await notified(api, lambda _: Answer(), key=b"")

    assert all("x-backout-signature" not in r.headers for r in requests)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Answer(status=500), "HTTP 500"),
        (Answer(status=302, headers={"Location": "/other"}), "HTTP 302"),
        (Close(), "closed the connection"),
    ],
)
async def test_a_notification_that_fails_is_a_warning_and_not_sent_again(
    api: ApiServer, step: Step, why: str
) -> None:
    told, requests = await notified(api, lambda _: step)

    assert told.result == "succeeded"
    assert image(api).endswith("good")
    assert len(requests) == 2
    assert all(why in text for text in told.of("warning")), told.of("warning")
    assert "s3cr3t" not in told.text


async def test_a_slow_endpoint_does_not_delay_the_rollback(api: ApiServer) -> None:
    told, _ = await notified(api, lambda _: Hang(), patience=0.3)

    assert told.result == "succeeded"
    kinds = [e.kind for e in told.events]
    assert kinds.index("progress") < kinds.index("warning")
    assert "within 0.3 s" in told.of("warning")[0]
