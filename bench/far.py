"""The API server as if it were far away: a proxy on loopback that delays every round trip.

    with far_away("https://127.0.0.1:16443", delay=0.2) as port:
        ...

A byte takes half of `delay` each way. A connection is accepted at once, as loopback is, so that its
first bytes wait for the round trip that a TCP handshake would have taken.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 64 * 1024


@contextmanager
def far_away(server: str, *, delay: float) -> Iterator[int]:
    """Give the port of a proxy to `server` that is so many seconds' round trip away."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    address = urlsplit(server)
    link = _Link(address.hostname or "", address.port or 443, delay)
    try:
        yield asyncio.run_coroutine_threadsafe(link.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(link.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class _Link:
    def __init__(self, host: str, port: int, delay: float) -> None:
        self._host, self._port, self._delay = host, port, delay
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = asyncio.get_running_loop().time() + self._delay
        up, down = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._late(reader, down, not_before=connected))
                group.create_task(self._late(up, writer))
        except* OSError:
            pass  # one side went away: its right
        finally:
            down.close()
            writer.close()

    async def _late(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        *,
        not_before: float = 0.0,
    ) -> None:
        """Hand on what is read, each piece half a round trip after it came."""
        clock = asyncio.get_running_loop().time
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if not piece:
                    with suppress(OSError, RuntimeError):
                        target.write_eof() if target.can_write_eof() else target.close()
                    return
                target.write(piece)
                await target.drain()

        arriving = asyncio.ensure_future(arrive())
        try:
            piece = b"first"
            while piece:
                piece = await source.read(CHUNK)
                pieces.put_nowait((max(clock(), not_before) + self._delay / 2, piece))
            await arriving
        finally:
            arriving.cancel()
