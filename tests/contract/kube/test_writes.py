from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme

from backout.core.errors import ApiError, Conflict, Invalid, Unauthorized, Unreachable
from backout.kube.client import Client
from backout.kube.errors import Unclear
from tests.contract.kube.fixtures import connection_to, refusal
from tests.contract.scripted_server import (
    Answer,
    Close,
    Hang,
    Raw,
    ScriptedServer,
    Step,
    Stream,
    server_tls,
)

Write = Callable[[Client], Awaitable[Any]]

WRITES: dict[str, Write] = {
    "POST": lambda client: client.create("/x", {"kind": "Lease"}),
    "PUT": lambda client: client.replace("/x", {"kind": "Lease"}),
    "PATCH": lambda client: client.patch_json("/x", [{"op": "remove", "path": "/a"}]),
    "MERGE": lambda client: client.patch_merge("/x", {"metadata": {}}),
}
HTML = Answer(status=502, body=b"<html>hunter2", headers={"Content-Type": "text/html"})


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> Write:
    return WRITES[request.param]


async def failure_of(write: Write, script: list[Step], **settings: Any) -> BaseException:
    async with ScriptedServer(script) as server:
        async with Client(connection_to(server), **settings) as client:
            with pytest.raises(Exception) as caught:  # noqa: PT011 (judged by the caller)
                await write(client)
        assert len(server.requests) == 1
        if isinstance(caught.value, Unclear):
            assert caught.value.audit_id == server.requests[0].headers["audit-id"]
            assert caught.value.audit_id in caught.value.remedy
    return caught.value


async def test_a_write_is_never_sent_twice_even_when_the_kept_alive_connection_dies(
    write: Write,
) -> None:
    script: list[Step] = [Answer(json={}), Close(), Answer(json={})]
    async with ScriptedServer(script) as server, Client(connection_to(server)) as client:
        await client.get("/x")
        with pytest.raises(Unclear):
            await write(client)

    assert len(server.requests) == 2
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        Close(),
        Close(reset=True),
        Raw(bytes=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"),
        refusal(500, "InternalError", "what"),
        refusal(503, "ServiceUnavailable", "what"),
        refusal(504, "Timeout", "what"),
        HTML,
        *(
            Answer(status=code, body=b"<html>", headers={"Content-Type": "text/html"})
            for code in (400, 401, 403, 404, 410, 429)
        ),
        Answer(status=200, body=b"<html>", headers={"Content-Type": "text/html"}),
        Answer(status=201, body=b'{"kind": '),
        Stream(chunks=[b" " * 1024 * 1024] * 5),
    ],
)
async def test_a_write_without_a_clear_answer_is_unclear_and_not_repeated(
    write: Write, answer: Step
) -> None:
    error = await failure_of(write, [answer, Answer(json={})])

    assert isinstance(error, Unclear)
    assert "is not known" in error.message
    assert "hunter2" not in error.message


async def test_a_write_that_times_out_is_unclear(write: Write) -> None:
    error = await failure_of(write, [Hang()], write_timeout=0.2)

    assert isinstance(error, Unclear)
    assert "within 0.2 s" in error.message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, "Unauthorized", "no"), Unauthorized),
        (refusal(409, "Conflict", "no"), Conflict),
        (refusal(422, "Invalid", "no"), Invalid),
        (refusal(429, "TooManyRequests", "no", Retry_After="3600"), ApiError),
    ],
)
async def test_a_write_that_was_refused_is_refused_and_not_repeated(
    write: Write, answer: Step, kind: type[ApiError]
) -> None:
    assert isinstance(await failure_of(write, [answer, Answer(json={})]), kind)


FLOW = {"X-Kubernetes-PF-FlowSchema-UID": "9f7a3c"}


@pytest.mark.parametrize(
    "busy",
    [
        refusal(429, "TooManyRequests", "busy", Retry_After="0"),
        Answer(status=429, body=b"Too many requests, please try again later.\n", headers=FLOW),
    ],
    ids=["a Status", "the plain text of priority and fairness"],
)
async def test_a_write_that_the_api_server_was_too_busy_for_is_made_again(
    write: Write, busy: Answer
) -> None:
    script: list[Step] = [busy, busy, Answer(json={})]
    async with ScriptedServer(script) as server, Client(connection_to(server)) as client:
        await write(client)

    assert len(server.requests) == 3
    assert len({r.headers["audit-id"] for r in server.requests}) == 3
    assert len({r.body for r in server.requests}) == 1


async def test_a_write_that_is_made_again_and_gets_no_answer_is_unclear(write: Write) -> None:
    busy = refusal(429, "TooManyRequests", "busy", Retry_After="0")
    script: list[Step] = [busy, Close(), Answer(json={})]
    async with ScriptedServer(script) as server, Client(connection_to(server)) as client:
        with pytest.raises(Unclear) as caught:
            await write(client)

    assert len(server.requests) == 2
    assert caught.value.audit_id == server.requests[1].headers["audit-id"]


async def test_a_redirected_write_was_not_executed(write: Write) -> None:
    error = await failure_of(write, [Answer(status=307, headers={"Location": "/y"})])

    assert isinstance(error, Unreachable)
    assert not isinstance(error, Unclear)


async def test_a_write_that_could_not_connect_was_not_sent(write: Write) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with ScriptedServer() as server:
            server.port = listener.getsockname()[1]
            async with Client(connection_to(server)) as client:
                with pytest.raises(Unreachable, match="connection refused") as caught:
                    await write(client)

    assert not isinstance(caught.value, Unclear)


async def test_a_write_whose_tls_fails_was_not_sent(write: Write) -> None:
    tls = server_tls(trustme.CA())
    async with (
        ScriptedServer(tls=tls) as server,
        Client(connection_to(server, ca=trustme.CA())) as client,
    ):
        with pytest.raises(Unreachable, match="certificate verify failed") as caught:
            await write(client)

    assert not isinstance(caught.value, Unclear)


async def test_a_dry_run_is_never_unclear() -> None:
    def dry(client: Client) -> Awaitable[Any]:
        return client.patch_json("/x", [], dry_run=True)

    error = await failure_of(dry, [refusal(500, "InternalError", "webhook is down")])

    assert isinstance(error, ApiError)
    assert error.message == "webhook is down"
    assert not isinstance(await failure_of(dry, [Close()]), Unclear)


async def test_a_json_patch_is_strict_and_says_who_we_are() -> None:
    ops = [{"op": "replace", "path": "/spec/template", "value": {"aFieldOfTomorrow": [1, None]}}]
    headers = {"Warning": '299 - "unknown field"'}
    async with (
        ScriptedServer([Answer(json={"kind": "D"}, headers=headers)]) as server,
        Client(connection_to(server)) as client,
    ):
        patched = await client.patch_json("/x", ops)

    request = server.requests[0]
    assert (request.method, request.json) == ("PATCH", ops)
    assert request.headers["content-type"] == "application/json-patch+json"
    assert request.query == {"fieldManager": "backout", "fieldValidation": "Strict"}
    assert patched.object == {"kind": "D"}
    assert patched.warnings == ("unknown field",)
    assert patched.audit_id == request.headers["audit-id"]


async def test_a_dry_run_asks_for_one() -> None:
    async with ScriptedServer([Answer(json={})]) as server, Client(connection_to(server)) as client:
        await client.patch_json("/x", [], dry_run=True)

    assert server.requests[0].query["dryRun"] == "All"


async def test_a_merge_patch_has_its_media_type_and_field_manager() -> None:
    async with ScriptedServer([Answer(json={})]) as server, Client(connection_to(server)) as client:
        await client.patch_merge("/x", {"a": None})

    request = server.requests[0]
    assert (request.headers["content-type"], request.json) == (
        "application/merge-patch+json",
        {"a": None},
    )
    assert request.query == {"fieldManager": "backout"}


async def test_create_and_replace_send_the_object() -> None:
    async with (
        ScriptedServer([Answer(status=201, json={"a": 1}), Answer(json={"a": 2})]) as server,
        Client(connection_to(server)) as client,
    ):
        made = await client.create("/x", {"kind": "Pod"}, params={"dryRun": "All"})
        changed = await client.replace("/x/y", {"kind": "Lease"})

    assert (made, changed) == ({"a": 1}, {"a": 2})
    assert server.lines == ["POST /x", "PUT /x/y"]
    assert server.requests[0].query == {"fieldManager": "backout", "dryRun": "All"}
    assert server.requests[1].json == {"kind": "Lease"}


async def test_a_cancelled_write_is_cancelled(write: Write) -> None:
    async with ScriptedServer([Hang()]) as server, Client(connection_to(server)) as client:
        task: asyncio.Future[Any] = asyncio.ensure_future(write(client))
        await server.received(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
