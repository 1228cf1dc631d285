"""The HTTP client that everybody uses: bounded, never surprising, silent about secrets.

This module does not import the HTTP library; entering a session does.
"""

from __future__ import annotations

from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from backout import __version__
from backout.http import engine
from backout.http.addresses import ANY_ADDRESS, AddressPolicy
from backout.http.response import BODY_CAP, Headers, OutgoingHeaders, Response

if TYPE_CHECKING:
    import ssl
    from contextlib import AbstractAsyncContextManager

    from backout.http.pool import Pool
    from backout.http.proxies import ProxyFor
    from backout.http.stream import Stream

__all__ = ["BODY_CAP", "LINE_CAP", "USER_AGENT", "Headers", "HttpClient", "Response"]

LINE_CAP = 16 * 1024 * 1024
"""A watch event is a line with a whole object: see BODY_CAP."""
USER_AGENT = f"backout/{__version__}"
NO_HEADERS: OutgoingHeaders = MappingProxyType({})


class HttpClient:
    """An async context manager; one per run and trust domain, so that connections are reused.

    `tls` is the context for https (None: the system's CAs), `server_hostname` the name to expect
    in the certificate instead of the URL's. `proxy` is an http, https or socks5 URL (credentials
    allowed), or tells for each URL by which one to go. `policy` is applied to addresses, after
    DNS; a proxy resolves the names again, so what is asked by one is looked up here first, and
    refused where this machine finds only denied addresses. Time-outs are in seconds;
    `connect_timeout` covers DNS, connection and TLS.

    Every failure is `Unreachable`: nothing was sent, or `Unanswered`: it may have been sent.
    Nothing is ever sent twice, and no redirect is followed.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout: float = 5.0,
        policy: AddressPolicy = ANY_ADDRESS,
        proxy: str | ProxyFor | None = None,
        server_hostname: str | None = None,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._engine = engine
        self._terms = engine.Terms(
            tls=tls,
            connect_timeout=connect_timeout,
            policy=policy,
            proxy_for=proxy if callable(proxy) else lambda _: proxy,
            server_hostname=server_hostname,
            user_agent=user_agent,
        )
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = self._engine.Pool(self._terms)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        pool, self._pool = self._open(), None
        await pool.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: OutgoingHeaders = NO_HEADERS,
        body: bytes | None = None,
        timeout: float,  # noqa: ASYNC109 (part of the contract: the whole answer, in seconds)
        cap: int = BODY_CAP,
        truncate: bool = False,
        any_coding: bool = False,
    ) -> Response:
        """Send one request, once, and return the answer whatever its status.

        `url` is sent as it is: percent-encode it. `timeout` covers everything to the last byte of
        the body. A body over `cap` bytes is cut if `truncate`, else it is a failure; what a status
        of 400 or more says is never kept beyond BODY_CAP: the larger room of a list is for lists.

        A body that is compressed, though nobody asked for that, is a failure unless `any_coding`:
        then it is what it is, for callers that may do without.
        """
        question = self._engine.HttpRequest(
            method=method,
            url=url,
            headers=headers,
            body=body,
            timeout=timeout,
            any_coding=any_coding,
        )
        return await self._engine.ask(self._open(), question, cap=cap, truncate=truncate)

    async def warm(self, url: str, count: int) -> None:
        """Open so many connections to the URL's server before they are needed; raise nothing.

        Requests that come together would otherwise each wait for a handshake of their own.
        """
        await self._engine.warm(self._open(), url, count)

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: OutgoingHeaders = NO_HEADERS,
        timeout: float,
        silence: float,
        line_cap: int = LINE_CAP,
    ) -> AbstractAsyncContextManager[Stream]:
        """Send one request and give its answer as a stream of lines.

        `timeout` is for the status line and headers, `silence` the longest time without a byte
        after that, both in seconds; a line of more than `line_cap` bytes is a failure.
        """
        question = self._engine.HttpRequest(
            method=method, url=url, headers=headers, body=None, timeout=timeout
        )
        return self._engine.listen(self._open(), question, silence=silence, line_cap=line_cap)

    def _open(self) -> Pool:
        if self._pool is None:
            msg = "an HttpClient is used inside `async with`"
            raise RuntimeError(msg)
        return self._pool
