from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
import truststore

from backout.core.errors import Unreachable
from backout.http import trust
from backout.http.addresses import NO_LOCAL
from backout.http.client import HttpClient
from backout.http.errors import Unanswered
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    Close,
    Hang,
    Raw,
    ScriptedServer,
    Step,
    Stream,
    client_tls,
    server_tls,
)

if TYPE_CHECKING:
    from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_an_answer_has_its_status_headers_and_body() -> None:
    headers = [("X-Some", "1"), ("Warning", '299 - "a"'), ("Warning", '299 - "b"')]
    script = [Answer(status=418, body=b"tea", headers=headers)]
    async with ScriptedServer(script) as server, HttpClient() as session:
        response = await session.request("GET", f"{server.url}/pot?x=%2F", timeout=WITHIN)

    assert (response.status, response.body, response.truncated) == (418, b"tea", False)
    assert response.headers["X-SOME"] == "1"
    assert "x-some" in set(response.headers)
    assert response.headers.all("warning") == ('299 - "a"', '299 - "b"')
    assert server.requests[0].target == "/pot?x=%2F"
    assert server.requests[0].headers["user-agent"].startswith("backout/")
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_kept_alive_connection_is_used_again() -> None:
    async with ScriptedServer([Answer(), Answer()]) as server, HttpClient() as session:
        for _ in range(2):
            await session.request("GET", server.url, timeout=WITHIN)

    assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
async def test_nothing_is_sent_twice_even_when_the_kept_alive_connection_dies(method: str) -> None:
    script: list[Step] = [Answer(), Close(), Answer()]
    async with ScriptedServer(script) as server, HttpClient() as session:
        await session.request("GET", server.url, timeout=WITHIN)
        with pytest.raises(Unanswered, match="closed the connection without an answer"):
            await session.request(method, server.url, body=b"{}", timeout=WITHIN)

    assert len(server.requests) == 2


async def test_a_reset_connection_is_unanswered() -> None:
    async with ScriptedServer([Close(reset=True)]) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match=r"the connection to .* broke: connection reset"):
            await session.request("PUT", server.url, body=b"{}", timeout=WITHIN)


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    script = [Answer(status=307, headers={"Location": "http://127.0.0.1:1/"})]
    async with ScriptedServer(script) as server, HttpClient() as session:
        response = await session.request("GET", server.url, timeout=WITHIN)

    assert response.status == 307
    assert len(server.requests) == 1


async def test_no_cookie_comes_back() -> None:
    script = [Answer(headers={"Set-Cookie": "a=b; Path=/"}), Answer()]
    async with ScriptedServer(script) as server, HttpClient() as session:
        for _ in range(2):
            await session.request("GET", server.url, timeout=WITHIN)

    assert "cookie" not in server.requests[1].headers


async def test_the_time_out_covers_a_server_that_never_answers() -> None:
    async with ScriptedServer([Hang()]) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match=r"no answer from 127\.0\.0\.1:\d+ within 0\.2 s"):
            await session.request("GET", server.url, timeout=0.2)


async def test_the_time_out_covers_a_body_that_never_ends() -> None:
    script = [Stream(chunks=[b"a"], then="hang")]
    async with ScriptedServer(script) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="no answer"):
            await session.request("GET", server.url, timeout=0.2)


async def test_an_error_is_not_kept_beyond_the_usual_size_where_more_room_was_given() -> None:
    script = [Stream(chunks=[b"x" * 1024 * 1024] * 5, status=status) for status in (200, 400, 503)]
    async with ScriptedServer(script) as server, HttpClient() as session:
        answer = await session.request("GET", server.url, timeout=WITHIN, cap=6 * 1024 * 1024)
        assert len(answer.body) == 5 * 1024 * 1024
        for _ in (400, 503):
            with pytest.raises(Unanswered, match="answered with more than 4 MiB"):
                await session.request("GET", server.url, timeout=WITHIN, cap=6 * 1024 * 1024)


async def test_fifty_megabytes_are_refused_at_the_cap() -> None:
    script = [Stream(chunks=[b"x" * 1024 * 1024] * 50)]
    async with ScriptedServer(script) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="answered with more than 4 MiB"):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_a_body_is_cut_at_the_cap_where_that_is_asked_for() -> None:
    async with ScriptedServer([Answer(body=b"x" * 100)]) as server, HttpClient() as session:
        response = await session.request("GET", server.url, timeout=WITHIN, cap=10, truncate=True)

    assert (response.body, response.truncated) == (b"x" * 10, True)


async def test_a_body_as_long_as_the_cap_is_whole() -> None:
    async with ScriptedServer([Answer(body=b"x" * 10)]) as server, HttpClient() as session:
        response = await session.request("GET", server.url, timeout=WITHIN, cap=10)

    assert (response.body, response.truncated) == (b"x" * 10, False)


async def test_a_compressed_answer_that_nobody_asked_for_is_refused() -> None:
    script = [Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})]
    async with ScriptedServer(script) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="encoding that was not asked for"):
            await session.request("GET", server.url, timeout=WITHIN)


@pytest.mark.parametrize(
    ("said", "coding"), [("utf-8", ""), ("none", ""), ("Identity", ""), ("utf-8, GZIP", "gzip")]
)
async def test_what_compresses_nothing_is_no_encoding_and_who_may_do_without_is_told(
    said: str, coding: str
) -> None:
    script = [Answer(body=b"ok", headers={"Content-Encoding": said})]
    async with ScriptedServer(script) as server, HttpClient() as session:
        answer = await session.request("GET", server.url, timeout=WITHIN, any_coding=True)

    assert (answer.status, answer.coding) == (200, coding)


async def test_a_body_that_breaks_off_is_unanswered() -> None:
    script = [Raw(bytes=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")]
    async with ScriptedServer(script) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="broke off"):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_an_answer_that_is_not_http_is_said_to_be_none() -> None:
    async with ScriptedServer([Raw(bytes=b"SSH-2.0-x\r\n\r\n")]) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="is not HTTP"):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_a_refused_connection_was_never_sent() -> None:
    async with HttpClient() as session:
        with pytest.raises(
            Unreachable, match=r"cannot connect to .*: connection refused"
        ) as caught:
            await session.request("GET", f"http://127.0.0.1:{free_port()}", timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


async def test_a_name_that_does_not_exist_is_said_to_be_unknown() -> None:
    async with HttpClient() as session:
        with pytest.raises(Unreachable, match=r"cannot find the address of no\.such\.invalid"):
            await session.request("GET", "http://no.such.invalid/", timeout=WITHIN)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b", ".x"])
async def test_a_name_that_is_none_is_an_unknown_one(host: str) -> None:
    async with HttpClient() as session:
        with pytest.raises(Unreachable, match="cannot find the address of"):
            await session.request("GET", f"http://{host}/", timeout=WITHIN)


async def test_a_server_that_ends_the_connection_within_the_handshake_is_told_so() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(leave, "127.0.0.1", 0) as server, HttpClient() as session:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(
            Unreachable, match=r"the other side ended the connection|reset"
        ) as caught:
            await session.request("GET", f"https://127.0.0.1:{port}", timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


async def test_a_server_that_accepts_no_tls_ends_in_the_connect_time_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with HttpClient(connect_timeout=0.2) as session:
            with pytest.raises(Unreachable, match=r"did not accept .* within 0\.2 s") as caught:
                await session.request("GET", url, timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://host/", "http:///path", "http://[::1", "http://a b/"]
)
async def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    async with HttpClient() as session:
        with pytest.raises(Unreachable):
            await session.request("GET", url, timeout=WITHIN)


async def test_no_error_tells_the_path_the_query_the_password_or_a_header() -> None:
    url = f"http://user:hunter2@127.0.0.1:{free_port()}/hunter2?q=hunter2"
    async with HttpClient() as session:
        with pytest.raises(Unreachable) as caught:
            await session.request("GET", url, headers={"X-Token": "hunter2"}, timeout=WITHIN)

    assert "hunter2" not in f"{caught.value.message} {caught.value.remedy}"
    assert caught.value.__cause__ is None


async def test_a_header_with_a_line_break_is_not_sent() -> None:
    async with ScriptedServer([Answer()]) as server, HttpClient() as session:
        with pytest.raises(Unreachable):
            await session.request("GET", server.url, headers={"A": "b\r\nC: d"}, timeout=WITHIN)

    assert server.requests == []


async def test_a_cancelled_request_is_cancelled_and_nothing_else() -> None:
    async with ScriptedServer([Hang()]) as server, HttpClient() as session:
        task = asyncio.create_task(session.request("GET", server.url, timeout=WITHIN))
        await server.received(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_without_a_context_the_systems_cas_are_trusted_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, system = trustme.CA(), tmp_path / "system.pem"
    ca.cert_pem.write_to_path(system)
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    trust.system_trust.cache_clear()
    known, unknown = server_tls(ca), server_tls(trustme.CA())
    async with (
        ScriptedServer([Answer(body=b"ok")], tls=known) as server,
        ScriptedServer(tls=unknown) as other,
        HttpClient() as session,
    ):
        answer = await session.request("GET", server.url, timeout=WITHIN)
        with pytest.raises(Unreachable, match="certificate"):
            await session.request("GET", other.url, timeout=WITHIN)
    trust.system_trust.cache_clear()

    assert answer.body == b"ok"
    assert other.requests == []


async def test_tls_of_an_unknown_ca_is_refused() -> None:
    tls = server_tls(trustme.CA())
    async with (
        ScriptedServer(tls=tls) as server,
        HttpClient(tls=client_tls(trustme.CA())) as session,
    ):
        with pytest.raises(Unreachable, match="certificate verify failed: ") as caught:
            await session.request("GET", server.url, timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)
    assert "CA certificate" in caught.value.remedy


async def test_an_expired_certificate_is_named_so() -> None:
    ca = trustme.CA()
    old = datetime.now(UTC) - timedelta(days=2)
    certificate = ca.issue_cert("127.0.0.1", not_before=old, not_after=old + timedelta(days=1))
    tls = server_tls(ca, certificate=certificate)
    async with ScriptedServer(tls=tls) as server, HttpClient(tls=client_tls(ca)) as session:
        with pytest.raises(Unreachable, match="certificate has expired"):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_a_certificate_of_another_host_is_named_so() -> None:
    ca = trustme.CA()
    tls = server_tls(ca, "other.example")
    async with ScriptedServer(tls=tls) as server, HttpClient(tls=client_tls(ca)) as session:
        with pytest.raises(Unreachable, match=r"(?i)mismatch") as caught:
            await session.request("GET", server.url, timeout=WITHIN)

    assert "TLS server name" in caught.value.remedy


async def test_the_server_name_of_the_certificate_can_be_given() -> None:
    ca = trustme.CA()
    tls = server_tls(ca, "other.example")
    async with (
        ScriptedServer([Answer()], tls=tls) as server,
        HttpClient(tls=client_tls(ca), server_hostname="other.example") as session,
    ):
        response = await session.request("GET", server.url, timeout=WITHIN)

    assert response.status == 200


async def test_a_missing_client_certificate_is_an_error_in_words() -> None:
    ca = trustme.CA()
    tls = server_tls(ca, ask=True)
    async with (
        ScriptedServer([Answer()], tls=tls) as server,
        HttpClient(tls=client_tls(ca)) as session,
    ):
        with pytest.raises(Unreachable):
            await session.request("GET", server.url, timeout=WITHIN)

    assert server.requests == []


async def test_https_spoken_to_an_http_port_has_a_remedy() -> None:
    async def complain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_server(complain, "127.0.0.1", 0) as server,
        HttpClient() as session,
    ):
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="TLS with") as caught:
            await session.request("GET", f"https://127.0.0.1:{port}", timeout=WITHIN)

    assert caught.value.remedy == "check the address: the port may speak plain http"


async def test_a_verified_context_is_the_default() -> None:
    async with ScriptedServer(tls=server_tls(trustme.CA())) as server, HttpClient() as session:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_many_requests_at_once_do_not_eat_the_connect_time_out() -> None:
    async with ScriptedServer(lambda _: Answer()) as server, HttpClient() as session:
        asked = [session.request("GET", server.url, timeout=WITHIN) for _ in range(150)]
        responses = await asyncio.gather(*asked)

    assert {response.status for response in responses} == {200}


async def test_a_denied_name_is_denied_after_it_was_resolved() -> None:
    async with ScriptedServer([Answer()]) as server, HttpClient(policy=NO_LOCAL) as session:
        with pytest.raises(Unreachable, match="will not connect to localhost is a loopback"):
            await session.request("GET", f"http://localhost:{server.port}/", timeout=WITHIN)

    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0"]
)
async def test_a_denied_literal_address_is_denied(host: str) -> None:
    async with ScriptedServer([Answer()]) as server, HttpClient(policy=NO_LOCAL) as session:
        with pytest.raises(Unreachable):
            await session.request("GET", f"http://{host}:{server.port}/", timeout=WITHIN)

    assert server.connections == 0


async def test_a_name_is_resolved_and_connected_to_where_that_is_allowed() -> None:
    async with ScriptedServer([Answer()]) as server, HttpClient() as session:
        response = await session.request("GET", f"http://localhost:{server.port}/", timeout=WITHIN)

    assert response.status == 200


async def test_a_client_certificate_is_shown() -> None:
    ca = trustme.CA()
    tls = client_tls(ca)
    ca.issue_cert("backout.example", common_name="backout").configure_cert(tls)
    server_side = server_tls(ca, ask=True)
    async with (
        ScriptedServer([Answer()], tls=server_side) as server,
        HttpClient(tls=tls) as session,
    ):
        await session.request("GET", server.url, timeout=WITHIN)

    assert server.requests[0].peer == "backout"


def test_the_test_contexts_verify() -> None:
    assert client_tls(trustme.CA()).verify_mode is ssl.CERT_REQUIRED


def test_on_macos_the_keychain_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    trust.system_trust.cache_clear()
    try:
        assert isinstance(trust.system_trust(), truststore.SSLContext)
    finally:
        trust.system_trust.cache_clear()
