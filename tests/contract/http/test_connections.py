"""Which connection a request goes out on, and what its answer may look like on the wire."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import h11
import pytest

from backout.http import pool
from backout.http.addresses import ANY_ADDRESS
from backout.http.client import HttpClient
from backout.http.dial import Terms
from backout.http.errors import Unanswered
from backout.http.pool import Pool
from backout.http.url import parse
from tests.contract.scripted_server import WITHIN, Answer, Raw, ScriptedServer, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


SETTINGS = Terms(
    tls=None,
    connect_timeout=WITHIN,
    policy=ANY_ADDRESS,
    proxy_for=lambda _: None,
    server_hostname=None,
    user_agent="test",
)


class Says:
    """A server on loopback that says these bytes for each request and keeps every connection.

    After the first answer it waits for `go` and says `later` (closes where that is None).
    """

    def __init__(self, answers: Sequence[bytes], *, later: bytes | None = b"") -> None:
        self._answers, self._later = list(answers), later
        self.connections = 0
        self.go = asyncio.Event()
        self._tasks: list[asyncio.Task[None] | None] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        async with asyncio.timeout(WITHIN):  # they end with the client's connections
            await asyncio.gather(*filter(None, self._tasks))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.append(asyncio.current_task())
        is_open = True
        with suppress(asyncio.IncompleteReadError, OSError):
            while is_open and await reader.readuntil(b"\r\n\r\n"):
                writer.write(self._answers.pop(0))
                if self.connections == 1 and self._later != b"":
                    await self.go.wait()
                    is_open = self._later is not None
                    writer.write(self._later or b"")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "later", [b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", None]
)
async def test_a_kept_connection_that_was_answered_or_closed_unasked_is_not_used_again(
    later: bytes | None,
) -> None:
    async with Says([OK, OK], later=later) as server:
        connections, url = Pool(SETTINGS), parse(server.url)
        first = await connections.take(url, host="h")
        first.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]), b"")
        await first.head()
        while await first.chunk():
            pass
        connections.give(url, first)
        server.go.set()
        async with asyncio.timeout(WITHIN):
            while first.is_quiet:  # noqa: ASYNC110 (a connection has no event for it)
                await asyncio.sleep(0)
        second = await connections.take(url, host="h")
        connections.give(url, second)
        await connections.close()

    assert second is not first


async def test_a_second_answer_to_one_request_is_never_the_answer_to_the_next() -> None:
    async with Says([OK + OK.replace(b"ok", b"no"), OK]) as server, HttpClient() as session:
        for _ in range(2):
            response = await session.request("GET", server.url, timeout=WITHIN)

    assert (response.body, server.connections) == (b"ok", 2)


async def test_a_connection_unused_for_long_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(pool, "_now", lambda: now)
    async with Says([OK] * 3) as server, HttpClient() as session:
        await session.request("GET", server.url, timeout=WITHIN)
        now += 14.0
        await session.request("GET", server.url, timeout=WITHIN)
        before = server.connections
        now += 16.0
        await session.request("GET", server.url, timeout=WITHIN)

    assert (before, server.connections) == (1, 2)


async def test_a_connection_is_closed_where_the_server_wants_that() -> None:
    closing = OK.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
    async with Says([closing, OK]) as server, HttpClient() as session:
        for _ in range(2):
            await session.request("GET", server.url, timeout=WITHIN)

    assert server.connections == 2


async def test_an_answer_that_was_cut_leaves_no_rest_for_the_next() -> None:
    async with (
        ScriptedServer([Answer(body=b"x" * 99), Answer()]) as server,
        HttpClient() as session,
    ):
        await session.request("GET", server.url, timeout=WITHIN, cap=10, truncate=True)
        second = await session.request("GET", server.url, timeout=WITHIN)

    assert second.body == b""
    assert [one.connection for one in server.requests] == [1, 2]


async def test_what_comes_before_the_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with Says([early + early + OK]) as server, HttpClient() as session:
        response = await session.request("GET", server.url, timeout=WITHIN)

    assert (response.status, response.body, response.headers.get("link")) == (200, b"ok", None)


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    raw = Raw(bytes=b"HTTP/1.0 200 OK\r\n\r\nall of it")
    async with ScriptedServer([raw]) as server, HttpClient() as session:
        response = await session.request("GET", server.url, timeout=WITHIN)

    assert response.body == b"all of it"


async def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
    async with Says([head, OK]) as server, HttpClient() as session:
        first = await session.request("HEAD", server.url, timeout=WITHIN)
        second = await session.request("GET", server.url, timeout=WITHIN)

    assert (first.body, first.headers["content-length"], second.body) == (b"", "99", b"ok")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000, "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "is not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", "broke off"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "is not HTTP"),
    ],
)
async def test_what_is_not_http_is_an_error_in_words(raw: bytes, words: str) -> None:
    async with ScriptedServer([Raw(bytes=raw)]) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match=words):
            await session.request("GET", server.url, timeout=WITHIN)


async def test_headers_go_out_as_go_sends_them() -> None:
    headers: dict[str, str | tuple[str, ...]] = {
        "Impersonate-User": " j\u00fcrgen\t",
        "Impersonate-Group": ("a", "b c"),
        "X-No": "",
    }
    async with ScriptedServer([Answer()]) as server, HttpClient() as session:
        await session.request("GET", server.url, headers=headers, timeout=WITHIN)

    pairs = [(n, v.encode("latin-1").decode()) for n, v in server.requests[0].pairs]
    assert [pair for pair in pairs if pair[0].startswith(("Imp", "X"))] == [
        ("Impersonate-User", "j\u00fcrgen"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b c"),
        ("X-No", ""),
    ]


async def test_user_and_password_of_a_url_are_sent_unless_a_header_says_otherwise() -> None:
    async with ScriptedServer([Answer(), Answer()]) as server, HttpClient() as session:
        url = server.url.replace("//", "//user:hunter2@")
        await session.request("GET", url, timeout=WITHIN)
        await session.request("GET", url, headers={"authorization": "Bearer t"}, timeout=WITHIN)

    sent = [one.headers["authorization"] for one in server.requests]
    assert sent == ["Basic dXNlcjpodW50ZXIy", "Bearer t"]


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("DELETE", None), ("POST", "0")])
async def test_an_empty_body_is_said_where_one_is_expected(method: str, length: str | None) -> None:
    async with ScriptedServer([Answer()]) as server, HttpClient() as session:
        await session.request(method, server.url, timeout=WITHIN)

    assert server.requests[0].headers.get("content-length") == length


async def test_a_reader_that_is_slow_holds_the_server_back_and_loses_nothing() -> None:
    line = b"x" * 1023 + b"\n"
    async with (
        ScriptedServer([Stream(chunks=[line * 1024] * 8)]) as server,
        HttpClient() as session,
        session.stream("GET", server.url, timeout=WITHIN, silence=WITHIN) as stream,
    ):
        seen = 0
        async for one in stream.lines():
            assert one == line[:-1]
            seen += 1
            if seen % 512 == 0:
                await asyncio.sleep(0)

    assert seen == 8 * 1024
