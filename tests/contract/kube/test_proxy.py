from __future__ import annotations

import pytest

from backout.core.errors import Unreachable
from backout.kube import paths
from backout.kube.client import Client
from backout.kube.connection import Credentials
from tests.contract.kube.fixtures import connection_to, refusal
from tests.contract.scripted_server import WITHIN, Answer, Close, Hang, ScriptedServer, Stream

PATH = paths.pod_proxy("default", "web-1", 8080, "/healthz?full=1")


async def test_the_application_answers() -> None:
    answer = Answer(status=503, body=b"down", headers={"Content-Type": "Text/Plain; charset=x"})
    async with ScriptedServer([answer]) as server, Client(connection_to(server)) as client:
        got = await client.proxy(PATH, timeout=WITHIN)

    assert (got.status, got.by_api_server, got.body) == (503, False, b"down")
    assert got.content_type == "text/plain"
    assert server.requests[0].target == (
        "/api/v1/namespaces/default/pods/web-1:8080/proxy/healthz?full=1"
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [403, 404, 503])
async def test_the_api_servers_own_failure_is_told_apart(code: int) -> None:
    script = [refusal(code, "X", "error trying to reach service: \x1b[2J")]
    async with ScriptedServer(script) as server, Client(connection_to(server)) as client:
        got = await client.proxy(PATH, timeout=WITHIN)

    assert (got.status, got.by_api_server) == (code, True)
    assert got.message == "error trying to reach service: \\x1b[2J"


@pytest.mark.parametrize(
    "body", [{"kind": "Status"}, {"status": "UP"}, ["x"], {"kind": "Status", "apiVersion": "v2"}]
)
async def test_json_of_the_application_is_the_applications(body: object) -> None:
    async with (
        ScriptedServer([Answer(status=500, json=body)]) as server,
        Client(connection_to(server)) as client,
    ):
        got = await client.proxy(PATH, timeout=WITHIN)

    assert (got.by_api_server, got.message) == (False, "")


async def test_a_long_body_is_cut() -> None:
    async with (
        ScriptedServer([Stream(chunks=[b"x" * 1024 * 1024] * 50)]) as server,
        Client(connection_to(server)) as client,
    ):
        got = await client.proxy(PATH, timeout=WITHIN)

    assert len(got.body) == 64 * 1024


async def test_an_application_that_is_not_asked_well_is_not_asked_again() -> None:
    async with (
        ScriptedServer([Close(), Answer()]) as server,
        Client(connection_to(server)) as client,
    ):
        with pytest.raises(Unreachable):
            await client.proxy(PATH, timeout=WITHIN)

    assert len(server.requests) == 1


async def test_a_proxied_request_has_its_time_out() -> None:
    async with ScriptedServer([Hang()]) as server, Client(connection_to(server)) as client:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await client.proxy(PATH, timeout=0.2)


async def test_the_date_and_the_warnings_of_an_application_are_not_the_servers() -> None:
    heard: list[str] = []
    headers = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Warning": '299 - "x"'}
    async with (
        ScriptedServer([Answer(headers=headers)]) as server,
        Client(connection_to(server), on_warning=heard.append) as client,
    ):
        await client.proxy(PATH, timeout=WITHIN)

        assert client.server_date is None

    assert heard == []


async def test_an_applications_401_does_not_ask_for_new_credentials() -> None:
    async with ScriptedServer([Answer(status=401, body=b"log in"), Answer()]) as server:
        credentials = Credentials(token="t", token_file=None)
        async with Client(connection_to(server, credentials=credentials)) as client:
            got = await client.proxy(PATH, timeout=WITHIN)

    assert (got.status, len(server.requests)) == (401, 1)
