"""Whatever a server answers is a value: a number, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
import trustme

from backout.core.health.metric import NoAnswer, Vector
from backout.prometheus.client import PrometheusClient
from tests.contract.prometheus.stub import alerts, firing, success, vector
from tests.contract.scripted_server import (
    Answer,
    Close,
    Hang,
    Raw,
    Received,
    ScriptedServer,
    client_tls,
    server_tls,
)

if TYPE_CHECKING:
    from tests.contract.scripted_server import Step

RATE = "rate(errors[1m])"


@dataclass
class Asked:
    answer: Vector | NoAnswer
    requests: list[Received]

    @property
    def why(self) -> str:
        assert isinstance(self.answer, NoAnswer), self.answer
        return self.answer.why


async def asked(step: Step, expression: str = RATE, *, authorization: str = "") -> Asked:
    async with ScriptedServer(lambda _: step) as server:
        client = PrometheusClient(f"{server.url}/prefix/", authorization=authorization, timeout=0.5)
        async with client:
            return Asked(await client.query(expression), server.requests)


async def test_a_vector_comes_as_values_with_their_labels() -> None:
    found = await asked(vector("0.25", "1e3"))

    assert isinstance(found.answer, Vector)
    assert [s.value for s in found.answer.series] == [0.25, 1000]
    assert found.answer.series[0].labels["app"] == "web"
    (request,) = found.requests
    assert (request.method, request.path) == ("GET", "/prefix/api/v1/query")
    assert request.query == {"query": RATE, "lookback_delta": "60"}


async def test_a_scalar_is_a_value_too() -> None:
    found = await asked(success({"resultType": "scalar", "result": [1, "2.5"]}))

    assert isinstance(found.answer, Vector)
    assert [s.value for s in found.answer.series] == [2.5]


async def test_nothing_measured_is_no_series() -> None:
    assert (await asked(vector())).answer == Vector(series=())


async def test_a_long_expression_is_posted() -> None:
    long = f"sum({'+'.join(['errors'] * 500)})"
    found = await asked(vector("1"), long)

    (request,) = found.requests
    assert request.method == "POST"
    assert parse_qs(request.body.decode())["query"] == [long]


async def test_the_age_is_told_by_the_servers_own_clock() -> None:
    found = await asked(vector("1", age=3600))

    assert isinstance(found.answer, Vector)
    assert found.answer.series[0].age == pytest.approx(3600, abs=5)


async def test_of_a_plain_name_it_is_asked_when_it_was_measured() -> None:
    def answer(request: Received) -> Answer:
        if request.query["query"].startswith("timestamp("):
            return success(
                {"resultType": "vector", "result": [{"metric": {}, "value": [900, "700"]}]}
            )
        return success({"resultType": "vector", "result": [{"metric": {}, "value": [900, "1"]}]})

    async with ScriptedServer(answer) as server, PrometheusClient(server.url) as client:
        found = await client.query('errors{app="web"}', plain=True)

    assert isinstance(found, Vector)
    assert found.series[0].age >= 200


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Answer(status=500, body=b"<html>oops</html>"), "HTTP 500"),
        (Answer(status=503, body=b""), "HTTP 503"),
        (Answer(status=404, body=b"404 page not found"), "HTTP 404"),
        (Answer(body=b"<html>login</html>"), "not the answer of a Prometheus"),
        (Answer(json=["a"]), "not the answer of a Prometheus"),
        (Answer(json={"status": "success"}), "not the answer of a Prometheus"),
        (success({"resultType": "vector", "result": {}}), "not the answer of a Prometheus"),
        (success({"resultType": "vector", "result": [1]}), "not the answer of a Prometheus"),
        (success({"resultType": "scalar", "result": [1]}), "not the answer of a Prometheus"),
        (vector("many"), "not the answer of a Prometheus"),
        (success({"resultType": "matrix", "result": []}), "gives a matrix"),
        (success({"resultType": "string", "result": []}), "gives a string"),
        (
            success({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}),
            "gives a histogram",
        ),
        (
            Answer(status=400, json={"status": "error", "errorType": "bad_data", "error": "at 3"}),
            "Prometheus says bad_data: at 3",
        ),
        (Answer(status=401, body=b"no"), "does not know who is asking"),
        (Answer(status=403, body=b"no"), "does not allow this"),
        (Hang(), "no answer"),
        (Close(), "closed the connection"),
        (Raw(bytes=b"SSH-2.0\r\n"), "not"),
        (Answer(body=b"[" * 100_000), "not the answer of a Prometheus"),
        (Answer(body=b"x" * 3_000_000), ""),
    ],
)
async def test_what_is_no_answer_is_told_in_words(step: Step, why: str) -> None:
    assert why in (await asked(step)).why


async def test_a_redirect_is_not_followed_and_takes_no_credentials_along() -> None:
    async with ScriptedServer(lambda _: vector("1")) as elsewhere:
        step = Answer(status=302, headers={"Location": f"{elsewhere.url}/api/v1/query"})
        found = await asked(step, authorization="Bearer s3cr3t")

        assert "redirects are not followed" in found.why
        assert elsewhere.requests == []


async def test_credentials_are_sent_and_never_told() -> None:
    denied = Answer(status=401, body=b"Bearer s3cr3tT0ken is wrong")
    found = await asked(denied, authorization="Bearer s3cr3tT0ken")

    assert found.requests[0].headers["authorization"] == "Bearer s3cr3tT0ken"
    assert "s3cr3t" not in found.why


async def test_without_credentials_none_are_sent() -> None:
    assert "authorization" not in (await asked(vector("1"))).requests[0].headers


async def test_text_of_the_servers_cannot_act() -> None:
    evil = {"status": "error", "errorType": "\x1b[2J", "error": "##vso[x]"}
    why = (await asked(Answer(status=400, json=evil))).why

    assert "\x1b" not in why
    assert "##vso" not in why


async def test_warnings_come_along() -> None:
    found = await asked(vector("1", warnings=["partial response"]))

    assert isinstance(found.answer, Vector)
    assert found.answer.warnings == ("partial response",)


async def test_a_server_behind_a_ca_of_ones_own_is_known() -> None:
    ca = trustme.CA()
    async with ScriptedServer(lambda _: vector("1"), tls=server_tls(ca)) as server:
        async with PrometheusClient(server.url, tls=client_tls(ca)) as client:
            assert isinstance(await client.query(RATE), Vector)
        async with PrometheusClient(server.url) as client:
            assert isinstance(await client.query(RATE), NoAnswer)


async def test_only_alerts_that_fire_are_told() -> None:
    pending = {**firing("Slow", namespace="shop"), "state": "pending"}
    step = alerts(firing("Errors", namespace="shop"), pending)
    async with ScriptedServer(lambda _: step) as server, PrometheusClient(server.url) as client:
        found = await client.alerts()

    assert not isinstance(found, NoAnswer)
    assert [(a.name, a.since) for a in found] == [("Errors", "2026-01-02T03:04:05Z")]


@pytest.mark.parametrize("step", [Answer(status=500), success([]), success({"alerts": 1})])
async def test_alerts_that_cannot_be_read_are_no_alerts(step: Answer) -> None:
    async with ScriptedServer(lambda _: step) as server, PrometheusClient(server.url) as client:
        assert isinstance(await client.alerts(), NoAnswer)
