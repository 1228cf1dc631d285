"""One request to the API server and its answer: identity, Audit-ID, what is told about it.

Nothing is judged here, and nothing repeated but a GET after a 401: the verbs do that.
"""

from __future__ import annotations

import time
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode, urlsplit

from msgspec.structs import replace

from backout.core.errors import BackoutError, Unreachable
from backout.core.text import untrusted
from backout.http.client import HttpClient
from backout.kube.call import Call, Reply, RequestLine, ServerDate
from backout.kube.credentials.identities import Identities
from backout.kube.status import UNAUTHORIZED, status_of
from backout.kube.tls import context_for
from backout.kube.warnings_header import warnings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime

    from backout.http.response import Headers, OutgoingHeaders
    from backout.http.stream import Stream
    from backout.kube.connection import Connection, Impersonation, KeyPair
    from backout.kube.credentials.exec_credential import Login
    from backout.kube.credentials.exec_plugin import Surroundings


_SAFE_IN_NAMES = "!#$&'*+^`|"
"""What a header's name may hold beside letters, digits and `-._~`."""


class Transport:
    """An async context manager: the way to one API server."""

    def __init__(
        self,
        connection: Connection,
        *,
        around: Surroundings,
        on_request: Callable[[RequestLine], None] | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._connection = connection
        self._identities = Identities(connection, around)
        self._on_request = on_request
        self._on_warning = on_warning
        self._sessions: list[tuple[KeyPair | None, HttpClient]] = []
        self._stack = AsyncExitStack()
        self.server_date: ServerDate | None = None
        self.clocks: tuple[float, float] | None = None
        self.requests = 0

    @property
    def host(self) -> str:
        """The server for error text: `https://host:port`, without its path."""
        parts = urlsplit(self._connection.server)
        return untrusted(f"{parts.scheme}://{parts.netloc}")

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._identities.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def log_in(self) -> None:
        """Find out who we are; raises ConfigError where that cannot be found out."""
        await self._identities.current()

    async def send(self, call: Call) -> Reply:
        """Send the request once; a GET that meets 401 once more, if a new identity can be had."""
        identity = await self._identities.current()
        reply = await self._send(call, identity)
        if not _is_rejected(call, reply) or not self._identities.expire(identity):
            return reply
        if call.method != "GET":  # a write is never sent twice, not even after a plain no
            return reply
        again = replace(call, audit_id=str(uuid.uuid4()))
        return await self._send(again, await self._identities.current())

    @asynccontextmanager
    async def stream(self, call: Call, *, silence: float) -> AsyncIterator[Stream]:
        """Send a GET and give its answer as a stream; `call.timeout` is for its head.

        A 401 is met as in `send`: a token that expired must not end a watch.
        """
        async with AsyncExitStack() as stack:
            identity = await self._identities.current()
            stream = await self._open(call, identity, stack, silence=silence)
            if stream.status == UNAUTHORIZED and self._identities.expire(identity):
                await stack.aclose()
                identity = await self._identities.current()
                call = replace(call, audit_id=str(uuid.uuid4()))
                stream = await self._open(call, identity, stack, silence=silence)
            yield stream

    async def _open(
        self, call: Call, identity: Login, stack: AsyncExitStack, *, silence: float
    ) -> Stream:
        session = await self._session(identity.key_pair)
        asked = session.stream(
            call.method,
            self._url(call),
            headers=self._headers(call, identity),
            timeout=call.timeout,
            silence=silence,
        )
        started, status = time.monotonic(), None
        try:
            with self._advised():
                stream = await stack.enter_async_context(asked)
            status = stream.status
        finally:
            self._report(call, status, started)
        self._listen(call, stream.headers)
        return stream

    async def _send(self, call: Call, identity: Login) -> Reply:
        session = await self._session(identity.key_pair)
        started, status = time.monotonic(), None
        try:
            with self._advised():
                response = await session.request(
                    call.method,
                    self._url(call),
                    headers=self._headers(call, identity),
                    body=call.body,
                    timeout=call.timeout,
                    cap=call.cap,
                    truncate=call.truncate,
                    any_coding=call.is_foreign,
                )
            status = response.status
        finally:
            self._report(call, status, started)
        warnings = self._listen(call, response.headers)
        return Reply(response=response, warnings=warnings, audit_id=call.audit_id)

    async def warm(self, count: int) -> None:
        """Open so many connections before they are needed; whatever fails is met again later."""
        with suppress(BackoutError):
            identity = await self._identities.current()
            session = await self._session(identity.key_pair)
            await session.warm(self._connection.server, count)

    async def _session(self, key_pair: KeyPair | None) -> HttpClient:
        """Return the session that shows this certificate; older ones live on for their watches."""
        if self._sessions and self._sessions[-1][0] == key_pair:
            return self._sessions[-1][1]
        is_https = self._connection.server.startswith("https:")
        session = HttpClient(
            tls=context_for(self._connection.trust, key_pair) if is_https else None,
            proxy=self._connection.proxy,
            server_hostname=self._connection.trust.server_name if is_https else None,
        )
        self._sessions.append((key_pair, session))
        return await self._stack.enter_async_context(session)

    def _url(self, call: Call) -> str:
        query = urlencode(call.params, quote_via=quote)
        return f"{self._connection.server}{call.path}{'?' if query else ''}{query}"

    def _headers(self, call: Call, identity: Login) -> OutgoingHeaders:
        headers: dict[str, str | tuple[str, ...]] = {
            "Accept": call.accept,
            "Audit-ID": call.audit_id,
            **_impersonation(self._connection.impersonation),
        }
        if identity.token:
            headers["Authorization"] = f"Bearer {identity.token}".rstrip()  # as Go trims it
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        return headers

    def _listen(self, call: Call, headers: Headers) -> tuple[str, ...]:
        """Take what the API server says beside the body: its time, its warnings."""
        if call.is_foreign:
            return ()
        if (date := headers.date) is not None:
            self._note_date(date)
        warnings = warnings_of(headers)
        if self._on_warning is not None:
            for text in warnings:
                self._on_warning(text)
        return warnings

    def _note_date(self, date: datetime) -> None:
        """Keep the server's time, and by how much the slowest and the fastest clock differ."""
        self.server_date = ServerDate(date=date, monotonic=time.monotonic())
        ahead = date.timestamp() - self.server_date.monotonic
        slowest, fastest = self.clocks or (ahead, ahead)
        self.clocks = (min(slowest, ahead), max(fastest, ahead))

    def _report(self, call: Call, status: int | None, started: float) -> None:
        self.requests += 1
        if self._on_request is None:
            return
        self._on_request(
            RequestLine(
                method=call.method,
                path=call.path.partition("?")[0],
                status=status,
                milliseconds=(time.monotonic() - started) * 1000,
                audit_id=call.audit_id,
            )
        )

    @contextmanager
    def _advised(self) -> Iterator[None]:
        """Give a failure that has no remedy of its own the one that fits an API server."""
        try:
            yield
        except Unreachable as exc:
            name = untrusted(self._connection.context, 80)
            exc.remedy = exc.remedy or f'check the server of context "{name}", and that it is up'
            raise


def _is_rejected(call: Call, reply: Reply) -> bool:
    """Tell whether the API server does not know us; an application's own 401 is none of ours."""
    if reply.response.status != UNAUTHORIZED:
        return False
    return not call.is_foreign or status_of(reply.response.body) is not None


def _impersonation(acting: Impersonation | None) -> dict[str, str | tuple[str, ...]]:
    """Return the headers of client-go transport/round_trippers.go (impersonatingRoundTripper)."""
    if acting is None:
        return {}
    headers: dict[str, str | tuple[str, ...]] = {"Impersonate-User": acting.user}
    if acting.uid:
        headers["Impersonate-Uid"] = acting.uid
    if acting.groups:
        headers["Impersonate-Group"] = acting.groups
    for key, values in acting.extra.items():
        headers[f"Impersonate-Extra-{quote(key.lower(), safe=_SAFE_IN_NAMES)}"] = values
    return headers
