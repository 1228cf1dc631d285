from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import force_setattr

from backout.core.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    Unreachable,
)
from backout.kube.client import Client, RequestLine
from backout.kube.connection import Credentials, Impersonation
from tests.contract.kube.fixtures import StandingClock, connection_to, refusal
from tests.contract.scripted_server import Answer, Close, Hang, Raw, ScriptedServer, Step, Stream

WEB = {"kind": "Deployment", "spec": {"aFieldOfTomorrow": 1}}
BUSY = refusal(429, "TooManyRequests", "busy")


async def got(script: list[Step], **settings: Any) -> tuple[dict[str, Any], ScriptedServer]:
    settings.setdefault("clock", StandingClock())
    async with (
        ScriptedServer(script) as server,
        Client(connection_to(server), **settings) as client,
    ):
        return await client.get("/apis/web"), server


async def test_an_object_comes_as_the_wire_gave_it() -> None:
    found, server = await got([Answer(json=WEB)])

    assert found == WEB
    assert server.requests[0].headers["accept"] == "application/json"
    assert server.requests[0].headers["user-agent"].startswith("backout/")


async def test_parameters_are_encoded() -> None:
    async with ScriptedServer([Answer(json={})]) as server, Client(connection_to(server)) as client:
        await client.get("/apis/web", {"labelSelector": "a in (b,c),d=e f+g"})

    assert server.requests[0].target == (
        "/apis/web?labelSelector=a%20in%20%28b%2Cc%29%2Cd%3De%20f%2Bg"
    )


async def test_each_request_has_its_own_audit_id_and_is_told_about() -> None:
    told: list[RequestLine] = []
    _, server = await got([BUSY, Close(), Answer(json=WEB)], on_request=told.append)

    sent = [request.headers["audit-id"] for request in server.requests]
    assert len(set(sent)) == 3
    assert [(line.method, line.path, line.status) for line in told] == [
        ("GET", "/apis/web", 429),
        ("GET", "/apis/web", None),
        ("GET", "/apis/web", 200),
    ]
    assert [line.audit_id for line in told] == sent
    assert all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in sent)
    assert all(line.milliseconds >= 0 for line in told)


@pytest.mark.parametrize(
    "failure",
    [
        BUSY,
        refusal(500, "InternalError", "no"),
        refusal(503, "ServiceUnavailable", "no"),
        Answer(status=502, body=b"<html>", headers={"Content-Type": "text/html"}),
        Close(),
        Close(reset=True),
        Raw(bytes=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"),
    ],
)
async def test_a_read_is_asked_again_after_a_failure_that_may_pass(failure: Step) -> None:
    found, server = await got([failure, failure, Answer(json=WEB)])

    assert found == WEB
    assert len(server.requests) == 3


async def test_a_read_is_asked_three_times_at_most() -> None:
    clock = StandingClock()
    script = [refusal(503, "ServiceUnavailable", "etcd is away")] * 5
    async with (
        ScriptedServer(script) as server,
        Client(connection_to(server), clock=clock) as client,
    ):
        with pytest.raises(ApiError, match="etcd is away") as caught:
            await client.get("/x")

    assert len(server.requests) == 3
    assert caught.value.code == 503
    assert 0.2 <= clock.slept[0] <= 0.3
    assert 0.45 <= clock.slept[1] <= 0.6


async def test_retry_after_is_honoured() -> None:
    clock = StandingClock()
    busy = refusal(429, "TooManyRequests", "busy", Retry_After="4")
    await got([busy, Answer(json=WEB)], clock=clock)

    assert clock.slept == [4.0]


async def test_a_retry_after_beyond_the_budget_is_not_waited_for() -> None:
    clock = StandingClock()
    script = [refusal(429, "TooManyRequests", "busy", Retry_After="3600")]
    async with (
        ScriptedServer(script) as server,
        Client(connection_to(server), clock=clock) as client,
    ):
        with pytest.raises(ApiError, match="busy") as caught:
            await client.get("/x")

    assert clock.slept == []
    assert caught.value.details["retryAfterSeconds"] == 3600


async def test_a_read_ends_at_its_time_out() -> None:
    async with (
        ScriptedServer([Hang(), Hang(), Hang()]) as server,
        Client(connection_to(server), read_timeout=0.3) as client,
    ):
        async with asyncio.timeout(5):
            with pytest.raises(Unreachable, match=r"within 0\.3 s") as caught:
                await client.get("/x")

    assert 'context "test"' in caught.value.remedy
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", ApiError),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (422, "Invalid", Invalid),
    ],
)
async def test_what_the_server_refuses_is_an_error_of_its_own_kind(
    code: int, reason: str, kind: type[ApiError]
) -> None:
    async with (
        ScriptedServer([refusal(code, reason, "its own words")]) as server,
        Client(connection_to(server)) as client,
    ):
        with pytest.raises(kind, match="its own words") as caught:
            await client.get("/x")

    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "words",
    [
        'admission webhook "validation.gatekeeper.sh" denied the request: no Leases here',
        "leases \"backout-web\" is forbidden: ValidatingAdmissionPolicy 'no-leases' denied request",
    ],
)
async def test_a_policy_that_denies_is_not_called_a_missing_role(words: str) -> None:
    """open-policy-agent/gatekeeper#256: it also sees Leases."""
    with pytest.raises(Forbidden) as caught:
        await got([refusal(403, "Forbidden", words)])

    assert words in caught.value.message
    assert "no Role lifts that" in caught.value.remedy
    with pytest.raises(Forbidden) as plain:
        await got([refusal(403, "Forbidden", "leases is forbidden: User cannot create")])
    assert "ask for a Role" in plain.value.remedy


async def test_a_missing_object_is_named_in_the_servers_words() -> None:
    with pytest.raises(NotFound, match=r'^deployments.apps "web" not found$') as caught:
        await got([refusal(404, "NotFound", 'deployments.apps "web" not found')])

    assert caught.value.remedy


async def test_a_missing_path_is_a_missing_resource() -> None:
    answer = Answer(status=404, body=b"404 page not found", headers={"Content-Type": "text/plain"})
    with pytest.raises(NotFound, match="could not find the requested resource"):
        await got([answer])


@pytest.mark.parametrize("status", [200, 301, 400, 502])
async def test_a_foreign_body_is_never_shown(status: int) -> None:
    page = Answer(
        status=status, body=b"<html>hunter2</html>", headers={"Content-Type": "text/html; a=b"}
    )
    with pytest.raises(Unreachable, match=f"HTTP {status}") as caught:
        await got([page, page, page])

    assert "hunter2" not in str(caught.value)
    assert "text/html" in str(caught.value) or status == 301


@pytest.mark.parametrize("status", [403, 500])
async def test_json_that_is_no_status_is_never_shown(status: int) -> None:
    answer = Answer(status=status, json={"message": "hunter2", "kind": "Secret"})
    with pytest.raises((Unreachable, Forbidden)) as caught:
        await got([answer, answer, answer])

    assert "hunter2" not in str(caught.value)
    assert "application/json" in str(caught.value)


@pytest.mark.parametrize("body", [b'{"kind": "Pod', b"", b"[]", b"7", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_unreachable(body: bytes) -> None:
    answer = Answer(body=body, headers={"Content-Type": "application/json"})
    with pytest.raises(Unreachable, match="JSON"):
        await got([answer])


async def test_fifty_megabytes_are_not_read() -> None:
    script = [Stream(chunks=[b" " * 1024 * 1024] * 50)] * 3
    async with ScriptedServer(list(script)) as server, Client(connection_to(server)) as client:
        with pytest.raises(Unreachable, match="more than 4 MiB"):
            await client.get("/x")

    assert len(server.requests) == 1, "an answer that is too large would be so again"


async def test_what_a_server_says_is_escaped_and_cut() -> None:
    hostile = "\x1b]52;c;aGk=\x07 \r\n\u202e" + "x" * 1000
    with pytest.raises(NotFound) as caught:
        await got([refusal(404, "NotFound", hostile)])

    assert caught.value.message.isprintable()
    assert len(caught.value.message) <= 256


async def test_a_redirect_is_not_followed() -> None:
    async with ScriptedServer([Answer(json=WEB)]) as other:
        moved = Answer(status=302, headers={"Location": other.url})
        with pytest.raises(Unreachable, match="redirect"):
            await got([moved])

    assert other.requests == []


async def test_the_servers_date_is_kept() -> None:
    headers = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    async with (
        ScriptedServer([Answer(json={}, headers=headers)]) as server,
        Client(connection_to(server)) as client,
    ):
        before = client.server_date
        await client.get("/x")
        seen = client.server_date

    assert before is None
    assert seen is not None
    assert seen.date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


async def test_the_servers_time_never_runs_backwards_although_its_date_is_cut_to_seconds() -> None:
    """Two answers in the same second carry the same Date: the second is later all the same."""
    headers = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    async with (
        ScriptedServer([Answer(json={}, headers=headers)] * 20) as server,
        Client(connection_to(server)) as client,
    ):
        times = []
        for _ in range(20):
            await client.get("/x")
            times.append(client.now())

    assert times == sorted(times)
    assert times[0].second == 37


@pytest.mark.parametrize("date", ["", "nonsense", "Sun, 99 Nov 1994 08:49:37 GMT"])
async def test_a_date_that_is_none_is_ignored(date: str) -> None:
    async with (
        ScriptedServer([Answer(json={}, headers={"Date": date})]) as server,
        Client(connection_to(server)) as client,
    ):
        await client.get("/x")

        assert client.server_date is None


async def test_warnings_are_surfaced_once_and_escaped() -> None:
    heard: list[str] = []
    headers = [
        ("Warning", r'299 - "say \"no\" \\ 1", 299 - "two"'),
        ("Warning", '299 kube "two"'),
        ("Warning", '299 - "\x1b[2J"'),
        ("Warning", '199 - "not ours"'),
    ]
    await got([Answer(json=WEB, headers=headers)], on_warning=heard.append)

    assert heard == ['say "no" \\ 1', "two", "\\x1b[2J"]


async def test_a_token_is_sent_and_never_told() -> None:
    told: list[RequestLine] = []
    credentials = Credentials(token="hunter2")
    async with ScriptedServer([Answer(json={})]) as server:
        connection = connection_to(server, credentials=credentials)
        async with Client(connection, on_request=told.append) as client:
            await client.get("/x")

    assert server.requests[0].headers["authorization"] == "Bearer hunter2"
    assert "hunter2" not in repr(connection) + repr(told)


async def test_impersonation_is_sent_with_every_group() -> None:
    acting = Impersonation(user="jane", groups=("dev", "ops"), uid="7", extra={"A/b": ("c",)})
    seen: list[str] = []

    async with ScriptedServer([Answer(json={})]) as server:
        connection = connection_to(server, impersonation=acting)
        async with Client(connection) as client:
            await client.get("/x")
        seen = [f"{name}: {value}" for name, value in server.requests[0].pairs]

    assert [line for line in seen if line.lower().startswith("impersonate")] == [
        "Impersonate-User: jane",
        "Impersonate-Uid: 7",
        "Impersonate-Group: dev",
        "Impersonate-Group: ops",
        "Impersonate-Extra-a%2Fb: c",
    ]


async def test_a_cancelled_read_is_cancelled() -> None:
    async with ScriptedServer([Hang()]) as server, Client(connection_to(server)) as client:
        task = asyncio.create_task(client.get("/x"))
        await server.received(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_servers_path_stands_before_ours() -> None:
    async with ScriptedServer([Answer(json={})]) as server:
        connection = connection_to(server)
        force_setattr(connection, "server", f"{server.url}/k8s/clusters/c-1")
        async with Client(connection) as client:
            await client.get("/version")

    assert server.lines == ["GET /k8s/clusters/c-1/version"]


COLUMNS = [{"name": name} for name in ("Name", "Type", "Data", "Age")]
BARE = {"metadata": {"name": "s", "resourceVersion": "7"}}


def row(count: Any, columns: list[dict[str, str]] = COLUMNS) -> dict[str, Any]:
    cells = {"cells": ["s", "Opaque", count, "5m"], "object": BARE}
    return {"kind": "Table", "columnDefinitions": columns, "rows": [cells]}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (row(2), (BARE, 2)),
        (row(0), (BARE, 0)),
        (row("2"), (BARE, None)),
        (row(2, COLUMNS[:2]), (BARE, None)),
        (BARE, (BARE, None)),
        ({"kind": "Table"}, ({}, None)),
    ],
    ids=["keys", "no key", "no number", "no such column", "no Table", "no row"],
)
async def test_keys_are_counted_and_no_value_is_asked_for(
    answer: dict[str, Any], found: tuple[Any, Any]
) -> None:
    async with (
        ScriptedServer([Answer(json=answer)]) as server,
        Client(connection_to(server)) as client,
    ):
        told = await client.counted("/secrets/s")

    assert told == found
    assert server.requests[0].headers["accept"] == (
        "application/json;as=Table;g=meta.k8s.io;v=v1,"
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    )
