"""Rolled out is not recovered: the service is asked until its answers hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backout.core.preflight.request import Request
from tests.contract.api_server import ApiServer, failure
from tests.contract.scripted_server import Answer, Close, Hang, Received, ScriptedServer, Step
from tests.contract.steps.shop import QUICK, Told, shop, states, template, undone
from tests.objects.services import service

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"s3cr3t-body"
GOOD_ANSWER, BAD_ANSWER = Answer(body=SECRET), Answer(status=503, body=SECRET)
LIMITS = replace(QUICK, health=1.0)


def asked(api: ApiServer) -> list[str]:
    return [r.path for r in api.requests if "/services/" in r.path]


async def verified(
    api: ApiServer, answers: list[Step], *, successes: int = 3, require: bool = False
) -> Told:
    """Undo; the Service answers so, the last answer for ever; Pods are well."""
    script: Iterator[Step] = iter(answers)
    last: Step = answers[-1]

    def proxied(request: Received) -> Step:
        nonlocal last
        if "/pods/" in request.path:
            return GOOD_ANSWER
        last = next(script, last)
        return last

    api.proxied = proxied
    policy = Request(successes=successes, require_health=require)
    return await undone(api, limits=LIMITS, policy=policy)


async def test_good_answers_must_come_in_a_row(api: ApiServer) -> None:
    flapping: list[Step] = [GOOD_ANSWER, GOOD_ANSWER, BAD_ANSWER, GOOD_ANSWER]
    told = await verified(api, flapping)

    assert told.result == "succeeded", told.text
    assert len(asked(api)) == 6
    assert "answered well 3 times in a row" in told.message


async def test_the_service_is_asked_on_the_port_and_path_of_the_readiness_probe(
    api: ApiServer,
) -> None:
    await verified(api, [GOOD_ANSWER], successes=1)

    assert asked(api) == ["/api/v1/namespaces/shop/services/web:80/proxy/ready"]


async def test_a_service_that_stays_bad_is_unhealthy(api: ApiServer) -> None:
    told = await verified(api, [BAD_ANSWER])

    assert told.result == "failed"
    assert "rolled out, and unhealthy" in told.message
    assert "HTTP 503" in told.message
    assert states(api) == ["FAILED"]


async def test_a_service_that_flaps_to_the_end_is_not_healthy(api: ApiServer) -> None:
    told = await verified(api, [GOOD_ANSWER, BAD_ANSWER] * 400)

    assert told.result in {"failed", "undecided"}


async def test_a_redirect_is_not_followed_and_proves_nothing(api: ApiServer) -> None:
    told = await verified(api, [Answer(status=302, headers={"Location": "http://127.0.0.1:1/x"})])

    assert told.result == "undecided"
    assert "redirects are not followed" in told.message


@pytest.mark.parametrize(
    "answer",
    [
        failure(503, "ServiceUnavailable", "error trying to reach service: connection refused"),
        failure(503, "ServiceUnavailable", "no endpoints available for service"),
        failure(500, "InternalError", "tls: handshake failure"),
        Close(),
        Hang(),
    ],
    ids=["refused", "no endpoints", "mTLS", "closed", "hanging"],
)
async def test_what_the_api_server_itself_answers_is_inconclusive(
    api: ApiServer, answer: Step
) -> None:
    told = await verified(api, [answer])

    assert told.result == "undecided"
    assert "inconclusive" in told.message


async def test_a_proxy_that_is_forbidden_is_asked_once_and_nothing_is_claimed(
    api: ApiServer,
) -> None:
    api.denied.add("get services/proxy")
    told = await undone(api, limits=LIMITS)

    assert told.result == "succeeded"
    assert "not verified end to end" in told.message
    assert "services/proxy" in told.text
    assert len(asked(api)) == 1


async def test_no_body_is_ever_said(api: ApiServer) -> None:
    told = await verified(api, [BAD_ANSWER, GOOD_ANSWER])

    assert SECRET.decode() not in told.text
    assert not any(SECRET.decode() in str(e.fields) for e in told.events)


async def test_a_404_on_a_guessed_path_is_inconclusive_and_soon() -> None:
    bare = template("127.0.0.1:1/app:good")
    del bare["spec"]["containers"][0]["readinessProbe"]
    async with ApiServer() as api:
        shop(api, good=bare)
        told = await verified(api, [Answer(status=404)], successes=2)

        assert told.result == "undecided"
        assert "guessed path" in told.message
        assert len(asked(api)) == 2


async def test_a_404_on_the_probes_own_path_is_unhealthy(api: ApiServer) -> None:
    told = await verified(api, [Answer(status=404)])

    assert told.result == "failed"


async def test_without_a_service_nothing_is_claimed() -> None:
    async with ApiServer() as api:
        shop(api)
        api.remove("services", "web")
        told = await undone(api)

        assert told.result == "succeeded"
        assert "not verified end to end" in told.message
        assert "healthy" not in told.message


async def test_where_health_is_required_nothing_to_ask_is_undecided() -> None:
    async with ApiServer() as api:
        shop(api)
        api.remove("services", "web")
        told = await undone(api, policy=Request(successes=1, require_health=True))

        assert told.result == "undecided"
        assert "--require-health" in told.message


async def test_services_that_lead_elsewhere_are_not_asked(api: ApiServer) -> None:
    metrics = service("web", {"port": 9100, "targetPort": 9100}, name="metrics")
    out = service(name="out", type="ExternalName", externalName="x.example")
    for elsewhere in (metrics, service("other", port=8080), out):
        api.add("services", elsewhere)
    await verified(api, [GOOD_ANSWER], successes=1)

    assert len(asked(api)) == 1


async def test_every_service_that_leads_there_must_be_well(api: ApiServer) -> None:
    api.add("services", service(name="web-too", port=8080))
    api.proxied = lambda r: BAD_ANSWER if "web-too" in r.path else GOOD_ANSWER
    told = await undone(api, limits=LIMITS)

    assert told.result == "failed"
    assert "web-too" in told.message


async def test_a_url_of_the_users_is_asked_directly_and_its_redirect_not_followed(
    api: ApiServer,
) -> None:
    async with ScriptedServer(lambda _: Answer(status=302, headers={"Location": "/b"})) as server:
        told = await undone(
            api,
            limits=LIMITS,
            policy=Request(successes=1, health=(f"{server.url}/up?token=s3cr3t",)),
        )

    assert told.result == "undecided"
    assert {r.target for r in server.requests} == {"/up?token=s3cr3t"}
    assert asked(api) == []
    assert "s3cr3t" not in told.text


async def test_a_url_that_answers_well_is_healthy(api: ApiServer) -> None:
    async with ScriptedServer(lambda _: Answer(body=b"x" * 200_000)) as server:
        policy = Request(successes=2, health=(f"{server.url}/up",))
        told = await undone(api, policy=policy)

    assert told.result == "succeeded", told.text
    assert len(server.requests) == 2


async def test_a_half_started_target_blocks(api: ApiServer) -> None:
    api.proxied = lambda r: BAD_ANSWER if "/pods/" in r.path else GOOD_ANSWER
    told = await undone(api)

    assert told.result == "refused"
    assert "PF121" in told.message
    assert "HTTP 503" in told.text
    assert api.writes == []


async def test_of_many_running_pods_ten_are_asked(api: ApiServer) -> None:
    model = api.get("pods", "web-1-0")
    for number in range(1, 37):
        named = {**model["metadata"], "name": f"web-1-{number}"}
        api.add("pods", {**model, "metadata": named})
    api.proxied = lambda r: BAD_ANSWER if "/pods/" in r.path else GOOD_ANSWER
    told = await undone(api)

    assert "that was asked (10 of 37) answers badly" in told.text
    assert len([r for r in api.requests if "/pods/" in r.path and "/proxy" in r.path]) == 10
    assert api.writes == []
