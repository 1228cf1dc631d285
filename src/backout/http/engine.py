"""Sends a request over a kept or a new connection. Imported late: asyncio and TLS take 0.1 s.

There are no redirects (a server must not choose whom we talk to), no cookies, no proxy that the
caller did not name, no compression (a small answer must stay small), and nothing is sent
twice: a connection that dies under a request is an error.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import h11
from msgspec import Struct

from backout.core.errors import ConfigError, Unreachable
from backout.http.dial import Terms, dial
from backout.http.errors import TooLarge, Unanswered
from backout.http.pool import Pool
from backout.http.response import BODY_CAP, Headers, OutgoingHeaders, Response
from backout.http.stream import Stream
from backout.http.url import SOCKS, Url, host_of, parse, parse_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from backout.http.connection import HttpConnection

__all__ = ["HttpRequest", "Pool", "Terms", "ask", "listen", "warm"]

_IS_ERROR = 400
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods for which an empty body is said, too (RFC 9110, 8.6)."""


class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request. `timeout` in seconds: for the whole answer, or for its head where streamed.

    `any_coding`: a compressed body is no failure.
    """

    method: str
    url: str
    headers: OutgoingHeaders
    body: bytes | None
    timeout: float
    any_coding: bool = False


async def ask(pool: Pool, question: HttpRequest, *, cap: int, truncate: bool) -> Response:
    """Send once and return the whole answer, bounded in time and size."""
    attempt = _Attempt(pool, question)
    with attempt.bounded():
        async with asyncio.timeout(question.timeout):
            try:
                status, headers = await attempt.head()
                room = cap if status < _IS_ERROR else min(cap, BODY_CAP)
                body, cut = await _body(attempt, cap=room, truncate=truncate)
            finally:
                attempt.release()
    return Response(
        status=status,
        headers=headers,
        body=body,
        truncated=cut,
        url=question.url,
        coding=headers.coding,
    )


@asynccontextmanager
async def listen(
    pool: Pool, question: HttpRequest, *, silence: float, line_cap: int
) -> AsyncIterator[Stream]:
    """Send once and give the answer as a stream; left before its end, the connection closes."""
    attempt = _Attempt(pool, question)
    try:
        with attempt.bounded():
            async with asyncio.timeout(question.timeout):
                status, headers = await attempt.head()
        yield Stream(
            status,
            headers,
            attempt.connection.chunk,
            host=attempt.host,
            silence=silence,
            line_cap=line_cap,
        )
    finally:
        attempt.release()


async def warm(pool: Pool, url: str, count: int) -> None:
    """Open so many connections to a server, for the requests that come next; raise nothing."""
    host = host_of(url)
    question = HttpRequest(method="GET", url=url, headers={}, body=None, timeout=0.0)
    target, proxy, _ = _prepared(question, pool.terms, host)

    async def one() -> None:
        with suppress(Unreachable):
            pool.give(target, await dial(target, pool.terms, proxy=proxy, host=host))

    await asyncio.gather(*(one() for _ in range(count)))


class _Attempt:
    """One request on its way: which connection it has, and so whether it may have been sent."""

    def __init__(self, pool: Pool, question: HttpRequest) -> None:
        self.host = host_of(question.url)
        self._pool = pool
        self._question = question
        self._url, self._proxy, self._request = _prepared(question, pool.terms, self.host)
        self._connection: HttpConnection | None = None

    @property
    def connection(self) -> HttpConnection:
        """The connection it was sent on; raises RuntimeError before."""
        if self._connection is None:
            raise RuntimeError("not sent")
        return self._connection

    async def head(self) -> tuple[int, Headers]:
        """Connect, send, and return the answer's status and headers."""
        self._connection = await self._pool.take(self._url, self._proxy, host=self.host)
        self._connection.send(self._request, self._question.body or b"")
        status, headers = await self._connection.head()
        if headers.coding and not self._question.any_coding and self._question.method != "HEAD":
            raise Unanswered(f"{self.host} answered in an encoding that was not asked for")
        return status, headers

    def release(self) -> None:
        """Give the connection back, which closes it unless the answer was read to its end."""
        if self._connection is not None:
            self._pool.give(self._url, self._connection)

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Say what was late when the time-out of the request ends it."""
        try:
            yield
        except TimeoutError:
            within = f"within {self._question.timeout:g} s"
            if self._connection is None:
                raise Unreachable(f"could not connect to {self.host} {within}") from None
            raise Unanswered(f"no answer from {self.host} {within}") from None


def _prepared(
    question: HttpRequest, terms: Terms, host: str
) -> tuple[Url, Url | None, h11.Request]:
    """Return where to go, by which proxy, and what to send.

    Raises Unreachable where that cannot be written down.
    """
    try:
        url = parse(question.url)
        by = terms.proxy_for(question.url)
        way = parse_proxy(by) if by else None
    except ConfigError as error:
        raise Unreachable(error.message, remedy=error.remedy) from None
    except ValueError:
        raise Unreachable(
            f"cannot ask {host}: not a full http or https address",
            remedy="give it as https://HOST[:PORT]/PATH",
        ) from None
    # Who is asked for the URL itself, not for a tunnel.
    asked = way if way and url.scheme == "http" and way.scheme not in SOCKS else None
    try:
        request = h11.Request(
            method=question.method,
            target=url.full if asked else url.path,
            headers=_headers(question, url, terms.user_agent, asked),
        )
    except (h11.LocalProtocolError, ValueError):
        raise Unreachable(f"cannot ask {host}: the request is not valid") from None
    return url, way, request


def _headers(
    question: HttpRequest, url: Url, user_agent: str, proxy: Url | None
) -> list[tuple[bytes, bytes]]:
    """Return the headers for the wire: a value that is a tuple becomes repeated headers."""
    ours: dict[str, str | tuple[str, ...] | None] = {
        "Host": url.authority,
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Authorization": url.credentials,
        "Proxy-Authorization": proxy.credentials if proxy else None,
    }
    if question.body is not None or question.method in _WITH_BODY:
        ours["Content-Length"] = str(len(question.body or b""))
    given = {name.lower() for name in question.headers}
    merged = {name: value for name, value in ours.items() if name.lower() not in given}
    pairs: list[tuple[bytes, bytes]] = []
    for name, value in {**merged, **question.headers}.items():
        several = (value,) if isinstance(value, str) else value or ()
        # Blanks at the ends are no part of a value (RFC 9110, 5.5); UTF-8 is what Go sends.
        pairs += [(name.encode(), one.strip(" \t").encode()) for one in several]
    return pairs


async def _body(attempt: _Attempt, *, cap: int, truncate: bool) -> tuple[bytes, bool]:
    whole = bytearray()
    try:
        while chunk := await attempt.connection.chunk():
            whole += chunk
            if len(whole) > cap:
                if truncate:
                    return bytes(whole[:cap]), True
                raise TooLarge(f"{attempt.host} answered with more than {_size(cap)}")
        return bytes(whole), False
    finally:
        # An error's traceback keeps this frame until the collector runs: not what came, too.
        whole.clear()


def _size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"
