"""Metrics, alerts and notifications, as the command line asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.contract.api_server import ApiServer
from tests.contract.prometheus.stub import Stub, vector
from tests.contract.scripted_server import Answer, Received, ScriptedServer, Step
from tests.contract.steps.shop import shop, template

if TYPE_CHECKING:
    from tests.contract.cli.command import Command

URL = ("--prometheus", "http://127.0.0.1:9")
WRONG = {
    "a metric and nobody to ask": (("--metric", "up < 1"), "--metric needs --prometheus"),
    "no comparison": (("--metric", "up", *URL), "ends in no comparison"),
    "bool": (("--metric", "up > bool 1", *URL), "leave `bool` out"),
    "a password in the URL": (("--prometheus", "http://u:pw@x/"), "without credentials"),
    "another scheme": (("--prometheus", "file:///etc/passwd"), "--prometheus takes"),
    "two ways to log in": (
        (*URL, "--prometheus-token-file", "a", "--prometheus-basic-file", "b"),
        "not both",
    ),
    "notify with a password": (("--notify", "https://u:pw@x/"), "--notify takes"),
}


@pytest.mark.parametrize(("words", "why"), WRONG.values(), ids=WRONG)
async def test_what_cannot_be_meant_is_a_usage_error(
    backout: Command, words: tuple[str, ...], why: str
) -> None:
    ran = await backout("undo", "deploy/web", *words)

    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert "pw" not in ran.err


@pytest.mark.parametrize("content", ["", "two words", "two\nlines"])
async def test_a_token_file_without_one_token_stops_before_anything_is_sent(
    backout: Command, api: ApiServer, content: str
) -> None:
    file = backout.home / "token"
    file.write_text(content)
    ran = await backout("undo", "deploy/web", "--yes", *URL, "--prometheus-token-file", str(file))

    assert ran.code == 1
    assert "does not hold one line with a token" in ran.err
    assert api.writes == []


async def test_a_whole_run_with_metric_credentials_and_notifications(
    backout: Command, api: ApiServer
) -> None:
    assert api.url
    pair, key = backout.home / "pair", backout.home / "key"
    pair.write_text("ann:s3cr3t\n")
    key.write_text("k3y\n")
    async with (
        ScriptedServer(Stub([vector("0.01")])) as prometheus,
        ScriptedServer(lambda _: Answer(status=500)) as hook,
    ):
        backout.environment = {
            "BACKOUT_PROMETHEUS": prometheus.url,
            "BACKOUT_PROMETHEUS_BASIC_FILE": str(pair),
            "BACKOUT_NOTIFY": f"{hook.url}/s3cr3t-path",
            "BACKOUT_NOTIFY_KEY_FILE": str(key),
            "BACKOUT_HEALTH_SUCCESSES": "1",
        }
        metric = ("--metric", "sum(rate(errors[1m])) < 0.05")
        ran = await backout("undo", "deploy/web", "--yes", "-o", "json", *metric)

    assert ran.code == 0, ran.err
    assert ran.last["event"] == "outcome"
    assert "metric sum(rate(errors[1m])) < 0.05" in ran.last["message"]
    assert {r.headers["authorization"] for r in prometheus.requests} == {"Basic YW5uOnMzY3IzdA=="}
    assert [r.json["kind"] for r in hook.requests] == ["triggered", "outcome"]
    assert all("x-backout-signature" in r.headers for r in hook.requests)
    warned = [e["message"] for e in ran.events if e["event"] == "warning"]
    assert [w for w in warned if "was not notified" in w] == [
        "127.0.0.1 was not notified (triggered): HTTP 500",
        "127.0.0.1 was not notified (outcome): HTTP 500",
    ]
    assert "s3cr3t" not in ran.out + ran.err


async def test_what_is_not_the_cluster_is_asked_by_the_proxy_of_the_environment_too(
    backout: Command,
) -> None:
    stub = Stub([vector("0.01")])

    def answer(request: Received) -> Step:
        host = urlsplit(request.target).hostname
        return stub(request) if host == "prometheus.invalid" else Answer()

    async with ApiServer() as api, ScriptedServer(answer) as proxy:
        shop(api, good=template("registry.invalid/app:good"))
        backout.point_to(api.url)
        backout.environment = {
            "HTTP_PROXY": proxy.url,
            "NO_PROXY": "direct.invalid",
            "BACKOUT_REGISTRY_PLAIN_HTTP": "registry.invalid",
            "BACKOUT_HEALTH_SUCCESSES": "1",
        }
        ran = await backout(
            *("undo", "deploy/web", "--yes", "-o", "json"),
            *("--health", "http://shop.invalid/up"),
            *(
                "--metric",
                "sum(rate(errors[1m])) < 0.05",
                "--prometheus",
                "http://prometheus.invalid",
            ),
            *("--notify", "http://hook.invalid/x"),
        )

    assert ran.code == 0, ran.err
    hosts = {urlsplit(r.target).hostname for r in proxy.requests}
    assert hosts == {
        *("registry.invalid", "shop.invalid", "prometheus.invalid", "hook.invalid"),
    }
