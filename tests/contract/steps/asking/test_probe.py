"""Rolled out is not recovered: the service is asked until its answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

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
NAMED = Request(successes=2, health=("/ready",))


def asked(api: ApiServer) -> list[str]:
    return [r.path for r in api.requests if "/services/" in r.path]


async def verified(
    api: ApiServer,
    answers: list[Step],
    *,
    successes: int = 3,
    require: bool = False,
    named: str = "/ready",
) -> Told:
    """Undo; the Service answers so, the last answer for ever; Pods are well.

    What is asked is the user's, or with `named` empty what backout guesses.
    """
    script: Iterator[Step] = iter(answers)
    last: Step = answers[-1]

    def proxied(request: Received) -> Step:
        nonlocal last
        if "/pods/" in request.path:
            return GOOD_ANSWER
        last = next(script, last)
        return last

    api.proxied = proxied
    health = (named,) if named else ()
    policy = Request(successes=successes, require_health=require, health=health)
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
    await verified(api, [GOOD_ANSWER], successes=1, named="")

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
        told = await verified(api, [Answer(status=404)], successes=2, named="")

        assert told.result == "undecided"
        assert "guessed path" in told.message
        assert len(asked(api)) == 2


async def test_a_404_on_a_path_that_the_user_named_is_unhealthy(api: ApiServer) -> None:
    told = await verified(api, [Answer(status=404)])

    assert told.result == "failed"


# What backout guessed: the path of the readiness probe, by another way than the kubelet's.


async def test_a_guess_that_fails_to_the_end_is_no_verdict_on_the_service(api: ApiServer) -> None:
    told = await verified(api, [BAD_ANSWER], named="")

    assert told.result == "undecided", told.text
    assert "HTTP 503, while the kubelet finds its Pods Ready" in told.message
    assert states(api) == ["UNDECIDED"]


async def test_what_the_kubelet_takes_for_success_is_well(api: ApiServer) -> None:
    elsewhere = Answer(status=302, headers={"Location": "http://127.0.0.1:1/x"})
    told = await verified(api, [elsewhere], named="")

    assert told.result == "succeeded", told.text
    assert "healthy: service web:80/ready answered well" in told.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 421])
async def test_where_it_is_not_asked_as_the_kubelet_asks_the_kubelet_is_the_word(
    api: ApiServer, status: int
) -> None:
    told = await verified(api, [Answer(status=status)], named="")

    assert told.result == "succeeded", told.text
    assert "not verified end to end" in told.message
    assert f"HTTP {status}, not asked as the kubelet asks" in told.message
    assert states(api) == ["SUCCEEDED"]
    assert len(asked(api)) == 3


async def test_one_odd_answer_does_not_end_the_questions(api: ApiServer) -> None:
    told = await verified(api, [Answer(status=404), GOOD_ANSWER], named="")

    assert told.result == "succeeded", told.text
    assert "healthy: service web:80/ready answered well 3 times" in told.message


async def test_a_pod_that_answers_strangers_otherwise_than_its_kubelet_blocks_nothing(
    api: ApiServer,
) -> None:
    api.proxied = lambda _: Answer(status=400, body=b"Bad Request (Host)")
    told = await undone(api, limits=LIMITS)

    assert told.result == "succeeded", told.text
    ids = {str(e.fields["id"]) for e in told.events if e.kind == "finding"}
    assert not {one for one in ids if one.startswith("PF12")}


@pytest.mark.parametrize(
    "request_", [{"httpHeaders": [{"name": "Host", "value": "shop"}]}, {"host": "shop"}]
)
async def test_a_probe_that_the_proxy_cannot_carry_is_not_asked_by_it(
    request_: dict[str, object],
) -> None:
    good = template("127.0.0.1:1/app:good")
    good["spec"]["containers"][0]["readinessProbe"]["httpGet"].update(request_)
    async with ApiServer() as api:
        shop(api, good=good)
        told = await verified(api, [Answer(status=400)], named="")

        assert told.result == "succeeded", told.text
        assert "which the API server's proxy does not carry" in told.message
        assert [r for r in api.requests if "/proxy" in r.path] == []


async def test_every_probed_container_that_a_service_leads_to_is_asked() -> None:
    good = template("127.0.0.1:1/app:good")
    metrics = {"httpGet": {"path": "/metrics", "port": 9090}}
    exporter = {"name": "exporter", "image": "127.0.0.1:1/exporter", "readinessProbe": metrics}
    good["spec"]["containers"].insert(0, exporter)
    ports = [{"name": "m", "port": 9090}, {"name": "http", "port": 80, "targetPort": 8080}]
    async with ApiServer() as api:
        shop(api, good=good)
        api.edit("services", "web", lambda s: s["spec"].update(ports=ports))
        api.proxied = lambda r: BAD_ANSWER if "/ready" in r.path else GOOD_ANSWER
        told = await undone(api, limits=LIMITS)

        assert told.result == "undecided", told.text
        assert "service web:http/ready: HTTP 503" in told.message
        assert {p.rpartition("/")[2] for p in asked(api)} == {"metrics", "ready"}


async def test_a_service_that_selects_pods_of_others_proves_nothing_about_this_one(
    api: ApiServer,
) -> None:
    wide = {"selector": {"tier": "front"}, "ports": [{"port": 80, "targetPort": 8080}]}

    def labelled(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["metadata"]["labels"]["tier"] = "front"

    api.edit("services", "web", lambda s: s.update(spec=wide))
    labels = {"tier": "front", "app": "api"}
    status = {"phase": "Running"}
    api.add("pods", {"metadata": {"name": "api-1", "labels": labels}, "status": status})
    api.edit("replicasets", "web-1", labelled)
    told = await verified(api, [BAD_ANSWER], named="")

    assert told.result == "succeeded", told.text
    assert "Service web selects Pods of other workloads, too (api-1)" in told.message
    assert asked(api) == []


async def test_without_a_service_nothing_is_claimed() -> None:
    async with ApiServer() as api:
        shop(api)
        api.remove("services", "web")
        told = await undone(api)

        assert told.result == "succeeded"
        assert "not verified end to end" in told.message
        assert "healthy" not in told.message


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
    told = await undone(api, limits=LIMITS, policy=NAMED)

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
    assert "s3cr3t" not in str(api.all("leases") + api.all("events"))


async def test_a_url_that_answers_well_is_healthy(api: ApiServer) -> None:
    async with ScriptedServer(lambda _: Answer(body=b"x" * 200_000)) as server:
        policy = Request(successes=2, health=(f"{server.url}/up",))
        told = await undone(api, policy=policy)

    assert told.result == "succeeded", told.text
    assert len(server.requests) == 2


async def test_a_half_started_target_blocks(api: ApiServer) -> None:
    api.proxied = lambda r: BAD_ANSWER if "/pods/" in r.path else GOOD_ANSWER
    told = await undone(api, policy=NAMED)

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
    told = await undone(api, policy=NAMED)

    assert "that was asked (10 of 37) answers badly" in told.text
    assert len([r for r in api.requests if "/pods/" in r.path and "/proxy" in r.path]) == 10
    assert api.writes == []
