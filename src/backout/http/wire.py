"""One TCP or TLS connection: bytes out, bytes in, and whether the other side is still there."""

from __future__ import annotations

import asyncio

_PAUSE_AT = 256 * 1024
"""Bytes that wait to be read before the server is made to wait."""


class Wire(asyncio.Protocol):
    """What asyncio hands the bytes to.

    Not asyncio's StreamReader: that cannot tell a kept connection on which something has come that
    nobody asked for, as a proxy's 408 before it closes.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """The connection below; raises RuntimeError before there is one."""
        if self._transport is None:
            raise RuntimeError("not connected")
        return self._transport

    @property
    def is_quiet(self) -> bool:
        """Whether it is open and nothing has come that was not read."""
        return not self._received and not self._ended and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; called once more by hand where TLS was started on it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what a Protocol is given)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._received += data
        if len(self._received) > _PAUSE_AT and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note that no more will come; asyncio closes the connection then."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why no more will come."""
        self._ended = True
        self._error = exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def write(self, data: bytes) -> None:
        """Send; that it did not arrive shows when the answer is read."""
        self.transport.write(data)

    async def read(self) -> bytes:
        """Return what has come, at least one byte; nothing once the other side has ended.

        Raises OSError where the connection broke.
        """
        while not self._received:
            if self._ended:
                if self._error is not None:
                    raise self._error
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._received)
        self._received.clear()
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()
        return data

    def close(self) -> None:
        """Say goodbye and do not wait for the other side's: it may never come (cpython#118960)."""
        self.transport.close()
        self.transport.abort()
