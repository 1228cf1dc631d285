"""A scripted HTTP(S) server on loopback: what every contract test talks to.

    async with ScriptedServer([Answer(json={"kind": "Status"}), Close()]) as server:
        ...                       # talk to server.url
    assert server.requests[0].path == "/api"

The script is a list of steps, one a request in the order of arrival, or a callable
`Received -> Step` (may be async). A request for which there is no step left is answered with
599; `server.requests` holds every one of them. Steps:

- `Answer`   a whole response; `json` or `body`; `before` is an event to wait for first
- `Stream`   a chunked response, chunk by chunk (a chunk that is an asyncio.Event is waited for),
             then `end` (properly), `close` (cut off), `reset` (RST) or `hang`
- `Raw`      these bytes and nothing else, then close
- `Close`    close (or reset) the connection without an answer
- `Hang`     never answer

Synchronise with `await server.received(n)`, never with sleep. TLS: `tls=server_tls(ca)`.
"""

from __future__ import annotations

import asyncio
import inspect
import json as json_module
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

    import trustme

WITHIN = 10.0
"""The deadline of every wait, in seconds: far longer than anything takes."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What arrived. Header names are in lower case; `target` is the request line's, untouched."""

    method: str
    target: str
    headers: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]
    """The headers as they came: repeated ones, and in their own spelling."""
    body: bytes
    connection: int
    """The number of the connection it came on: 1 is the server's first."""
    peer: str = ""
    """The common name of the client's certificate, if it showed one."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json_module.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    before: asyncio.Event | None = None
    keep_alive: bool = True


@dataclass(frozen=True, kw_only=True)
class Stream:
    chunks: Sequence[bytes | asyncio.Event] = ()
    then: Literal["end", "close", "reset", "hang"] = "end"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Raw:
    bytes: bytes


@dataclass(frozen=True, kw_only=True)
class Close:
    reset: bool = False


@dataclass(frozen=True, kw_only=True)
class Hang:
    pass


Step = Answer | Stream | Raw | Close | Hang
Script = Sequence[Step] | Callable[[Received], Step | Awaitable[Step]]


class ScriptedServer:
    """An async context manager; `url` has no trailing slash, `requests` grows as they arrive."""

    def __init__(self, script: Script = (), *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self.requests: list[Received] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """`METHOD /path` of each request: for assertions that read well."""
        return [f"{request.method} {request.path}" for request in self.requests]

    async def received(self, count: int) -> Received:
        """Wait until `count` requests have arrived; return the last of those."""
        async with asyncio.timeout(WITHIN), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        try:
            while (request := await _read(reader, writer, number)) is not None:
                async with self._arrived:
                    self.requests.append(request)
                    self._arrived.notify_all()
                if not await _perform(await self._next(request), writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away: its right
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _next(self, request: Received) -> Step:
        if callable(self._script):
            step = self._script(request)
            return await step if inspect.isawaitable(step) else step
        index = len(self.requests) - 1
        if index >= len(self._script):
            return Answer(status=599, body=b"the script is over")
        return self._script[index]


async def _read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    pairs = [(name, value.strip()) for name, _, value in (h.partition(":") for h in rest if h)]
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(
        method=method,
        target=target,
        headers=headers,
        pairs=pairs,
        body=body,
        connection=number,
        peer=_common_name(writer),
    )


def _common_name(writer: asyncio.StreamWriter) -> str:
    certificate = writer.get_extra_info("peercert") or {}
    names = {key: value for part in certificate.get("subject", ()) for key, value in part}
    return str(names.get("commonName", ""))


async def _perform(step: Step, writer: asyncio.StreamWriter) -> bool:
    """Do what the step says; True if the connection lives on."""
    match step:
        case Answer():
            return await _answer(step, writer)
        case Stream():
            return await _stream(step, writer)
        case Raw():
            writer.write(step.bytes)
            await writer.drain()
        case Close():
            if step.reset:
                _reset(writer)
        case Hang():
            await asyncio.Event().wait()
    return False


async def _answer(step: Answer, writer: asyncio.StreamWriter) -> bool:
    if step.before is not None:
        await step.before.wait()
    body = step.body
    pairs = list(step.headers.items() if isinstance(step.headers, Mapping) else step.headers)
    if step.json is not None:
        body = json_module.dumps(step.json).encode()
        pairs.insert(0, ("Content-Type", "application/json"))
    writer.write(_head(step.status, [*pairs, ("Content-Length", str(len(body)))]) + body)
    await writer.drain()
    return step.keep_alive


async def _stream(step: Stream, writer: asyncio.StreamWriter) -> bool:
    pairs = [*step.headers.items(), ("Transfer-Encoding", "chunked")]
    writer.write(_head(step.status, pairs))
    await writer.drain()
    for chunk in step.chunks:
        if isinstance(chunk, asyncio.Event):
            await chunk.wait()
            continue
        writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        await writer.drain()
    match step.then:
        case "end":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            return True
        case "hang":
            await asyncio.Event().wait()
        case "reset":
            _reset(writer)
        case "close":
            pass
    return False


def _head(status: int, pairs: Sequence[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    socket = writer.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def server_tls(
    ca: trustme.CA, *names: str, certificate: trustme.LeafCert | None = None, ask: bool = False
) -> ssl.SSLContext:
    """Return a server's context: a certificate of `ca` for `names` (default 127.0.0.1).

    `ask` demands a client certificate of the same `ca`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or ca.issue_cert(*(names or ("127.0.0.1",)))).configure_cert(context)
    if ask:
        ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(ca: trustme.CA) -> ssl.SSLContext:
    """Return a client's context that trusts `ca` and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(context)
    return context
