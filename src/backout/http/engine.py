"""The only place that drives aiohttp. Imported late: the library takes 0.2 s.

What is switched off, and why: redirects (a server must not choose whom we talk to), cookies,
proxies from the environment (callers decide), compression (a small answer must stay small), and
aiohttp's own resending.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict
from yarl import URL

from backout.http.errors import Unanswered
from backout.http.failures import Attempt, Broken, told
from backout.http.library import aiohttp
from backout.http.resolver import AddressDenied, CheckedResolver
from backout.http.response import Headers, OutgoingHeaders, Response
from backout.http.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import SimpleNamespace

    from backout.http.addresses import AddressPolicy

_LEAKS_TLS = sys.version_info < (3, 12, 7)
"""Older Pythons leave a TLS connection open whose other side says no goodbye (cpython#118960)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for every request of a session (see `session.Session`)."""

    tls: ssl.SSLContext | None
    connect_timeout: float
    policy: AddressPolicy
    proxy: str | None
    server_hostname: str | None
    user_agent: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request. `timeout` in seconds: for the whole answer, or for its head where streamed."""

    method: str
    url: str
    headers: OutgoingHeaders
    body: bytes | None
    timeout: float


async def never_resend(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request twice.

    When a kept-alive connection turns out to be closed, it resends what it holds for idempotent,
    PUT among them (aiohttp/client.py, IDEMPOTENT_METHODS). It does so only for two exceptions:
    let it see another one.
    """
    try:
        return await send(request)
    except (
        aiohttp.ClientConnectorError,
        aiohttp.ClientConnectorCertificateError,
        aiohttp.ConnectionTimeoutError,
    ):
        raise  # not connected yet: never resent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise Broken from exc


def start(settings: Settings) -> aiohttp.ClientSession:
    """Return aiohttp's session with everything set that the module docstring promises."""
    traces = aiohttp.TraceConfig()
    traces.on_connection_create_end.append(_connected)
    traces.on_connection_reuseconn.append(_connected)
    exempt = URL(settings.proxy).raw_host if settings.proxy else None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,  # callers bound their concurrency; a queue would eat the connect time-out
            ssl=settings.tls or True,
            resolver=CheckedResolver(settings.policy, exempt=exempt),
            enable_cleanup_closed=_LEAKS_TLS,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(never_resend,),
        trace_configs=[traces],
        auto_decompress=False,
        trust_env=False,
        headers={"User-Agent": settings.user_agent, "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_timeout),
    )


async def _connected(_session: Any, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.connected = True


async def ask(
    http: aiohttp.ClientSession,
    settings: Settings,
    question: Question,
    *,
    cap: int,
    truncate: bool,
) -> Response:
    """Send once and return the whole answer, bounded in time and size."""
    attempt = _attempt(settings, question)
    with told(attempt):
        async with asyncio.timeout(question.timeout):
            response = await _send(http, settings, question, attempt)
            try:
                body, cut = await _body(response, attempt, cap=cap, truncate=truncate)
            finally:
                # A no-op once the body was read to its end and the connection went back.
                response.close()
    return Response(
        status=response.status,
        headers=Headers(response.headers.items()),
        body=body,
        truncated=cut,
        url=question.url,
    )


@asynccontextmanager
async def listen(
    http: aiohttp.ClientSession,
    settings: Settings,
    question: Question,
    *,
    silence: float,
    line_cap: int,
) -> AsyncIterator[Stream]:
    """Send once and give the answer as a stream; leaving the context closes the connection."""
    attempt = _attempt(settings, question)
    with told(attempt):
        async with asyncio.timeout(question.timeout):
            response = await _send(http, settings, question, attempt)
    try:
        headers = Headers(response.headers.items())
        yield Stream(response, headers, attempt=attempt, silence=silence, line_cap=line_cap)
    finally:
        response.close()


def _attempt(settings: Settings, question: Question) -> Attempt:
    return Attempt(
        host=host_of(question.url),
        timeout=question.timeout,
        connect_timeout=settings.connect_timeout,
    )


def host_of(url: str) -> str:
    """Return `host` or `host:port` of a URL for error text: no path, no query, no password."""
    try:
        parsed = URL(url)
    except ValueError:
        return "the address given"
    if not parsed.raw_host:
        return "the address given"
    bracketed = f"[{parsed.raw_host}]" if ":" in parsed.raw_host else parsed.raw_host
    return f"{bracketed}:{parsed.explicit_port}" if parsed.explicit_port else bracketed


async def _send(
    http: aiohttp.ClientSession, settings: Settings, question: Question, attempt: Attempt
) -> aiohttp.ClientResponse:
    url = URL(question.url, encoded=True)  # as given: requoting could change which path it is
    _check_literal(url, settings.policy)
    response = await http.request(
        question.method,
        url,
        headers=_pairs(question.headers),
        data=question.body,
        proxy=settings.proxy,
        server_hostname=settings.server_hostname,
        ssl=_trust(settings, url),
        allow_redirects=False,
        trace_request_ctx=attempt,
    )
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        raise Unanswered(f"{attempt.host} answered in an encoding that was not asked for")
    return response


def _trust(settings: Settings, url: URL) -> ssl.SSLContext | bool:
    """Return the system's CAs where TLS is spoken and no context was set (True: none is needed)."""
    speaks_tls = url.scheme == "https" or (settings.proxy or "").startswith("https:")
    return system_trust() if settings.tls is None and speaks_tls else True


@functools.cache
def system_trust() -> ssl.SSLContext:
    """Return a context that trusts the system's CAs; read once, when it is first needed."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context


def _pairs(headers: OutgoingHeaders) -> CIMultiDict[str]:
    """Return the headers for the wire: a value that is a tuple becomes repeated headers."""
    pairs: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        for one in (value,) if isinstance(value, str) else value:
            pairs.add(name, one)
    return pairs


def _check_literal(url: URL, policy: AddressPolicy) -> None:
    """Apply the policy to an address in the URL itself: the resolver never sees those."""
    host = url.raw_host
    if url.scheme not in {"http", "https"} or not host:
        raise aiohttp.InvalidURL("")
    if ":" not in host and not host.replace(".", "").isdigit():
        return
    if (objection := policy.objection(host)) is not None:
        raise AddressDenied(f"{host}: {objection}")


async def _body(
    response: aiohttp.ClientResponse, attempt: Attempt, *, cap: int, truncate: bool
) -> tuple[bytes, bool]:
    whole = bytearray()
    async for chunk in response.content.iter_any():
        whole += chunk
        if len(whole) > cap:
            if truncate:
                return bytes(whole[:cap]), True
            raise Unanswered(f"{attempt.host} answered with more than {_size(cap)}")
    return bytes(whole), False


def _size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"
