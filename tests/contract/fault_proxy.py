"""A proxy on loopback in front of a real API server, which fails at the n-th request.

    with FaultProxy(server, ca=..., token=...) as proxy:
        proxy.before = lambda n, line: os.kill(pid, SIGINT) if n == 7 else None
        ...                            # backout with a kubeconfig whose server is proxy.url

backout speaks plain http to it and sends no credentials then (nor does kubectl); the proxy adds
the token and speaks TLS to the server. Every request has a connection of its own there. Hooks get
the request's number, from 1 in the order of arrival, and its line; they run in the proxy's thread.
What `before` or `after` returns is done: DROP closes the connection, a number waits so many
seconds, None goes on. `after` comes when the answer is there and the client has none of it yet; the
line of a request that a 409 answers begins with that: nothing was written.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

DROP: Literal["drop"] = "drop"
Fault = Literal["drop"] | float | None
Hook = Callable[[int, str], Fault]
LIMIT = 64 * 1024


def _none(_number: int, _line: str) -> Fault:
    return None


class FaultProxy:
    """A context manager; it runs in a thread of its own, so that tests may block."""

    def __init__(self, server: str, *, ca: Path, token: str) -> None:
        address = urlsplit(server)
        self._host, self._port = address.hostname or "", address.port or 443
        self._token = token
        self._tls = ssl.create_default_context(cafile=ca)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.before: Hook = _none
        self.after: Hook = _none
        self.lines: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way, watches included."""
        return not self._tasks

    def forget(self) -> None:
        """Count the next request as the first, and fail no more."""
        self.before = self.after = _none
        self.lines.clear()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=LIMIT)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._server.close()
        while self._tasks:
            # One that is cancelled before it has begun closes nothing itself.
            writers = [*self._tasks.values()]
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in writers:
                await _shut(writer)
        await self._server.wait_closed()
        await self._closed()

    async def _closed(self) -> None:
        """Wait until every socket but the loop's own is closed: aborted ones take some rounds."""
        deadline = self._loop.time() + 2
        sockets = self._loop._selector.get_map()  # type: ignore[attr-defined]
        while len(sockets) > 1 and self._loop.time() < deadline:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.01)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks[task] = writer
        task.add_done_callback(self._tasks.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            line = _line(head)
            self.lines.append(line)
            number = len(self.lines)
            if await _goes_on(self.before(number, line)):
                await self._forward(head, body, number, (reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away: its right
        finally:
            await _shut(writer)

    async def _forward(
        self,
        head: bytes,
        body: bytes,
        number: int,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        reader, writer = client
        up, down = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        try:
            down.write(self._rewritten(head) + body)
            await down.drain()
            answer = await up.readuntil(b"\r\n\r\n")
            line = _refused(answer) + _line(head)
            if not line.startswith("WATCH"):
                answer += await up.read()
            if not await _goes_on(self.after(number, line)):
                return
            writer.write(answer)
            await writer.drain()
            if line.startswith("WATCH"):
                await _first(_relayed(up, writer), reader.read())
        finally:
            await _shut(down)

    def _rewritten(self, head: bytes) -> bytes:
        """Return the request's head with our identity, for a connection that serves it alone."""
        first, *lines = head.decode("latin-1").split("\r\n")
        dropped = ("host:", "connection:", "authorization:")
        kept = [line for line in lines if line and not line.lower().startswith(dropped)]
        ours = [
            f"Host: {self._host}:{self._port}",
            f"Authorization: Bearer {self._token}",
            "Connection: close",
        ]
        return "\r\n".join([first, *ours, *kept, "", ""]).encode("latin-1")


async def _goes_on(fault: Fault) -> bool:
    if isinstance(fault, float | int):
        await asyncio.sleep(fault)
    return fault != DROP


async def _relayed(up: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await up.read(LIMIT):
        writer.write(chunk)
        await writer.drain()


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of these (the stream's end, or the client's leave); cancel the others."""
    tasks = [asyncio.ensure_future(w) for w in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _shut(writer: asyncio.StreamWriter) -> None:
    """Close a connection; where the other side does not take leave in time, at once."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()
        await asyncio.sleep(0)  # the socket is closed in the loop's next round


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _refused(answer: bytes) -> str:
    return "409 " if answer.split(b" ", 2)[1] == b"409" else ""


def _line(head: bytes) -> str:
    """Return `PATCH /apis/…`, `WATCH /apis/…` or `DRY /apis/…`: what it does, without its query."""
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    address = urlsplit(target)
    verb = "DRY" if "dryRun=All" in address.query else method
    return f"{'WATCH' if 'watch=true' in address.query else verb} {address.path}"
