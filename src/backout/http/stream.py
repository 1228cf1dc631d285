"""An answer that has no end: lines as they come, with a limit on silence and on line length."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from backout.http.errors import Unanswered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from backout.http.response import Headers
T = TypeVar("T", bytes, bytearray)


class Stream:
    """An open answer: `status`, `headers`, and the body once, either as lines or as one piece.

    `chunk` returns the next bytes of it, none at its end; `host` is for error text.
    """

    def __init__(
        self,
        status: int,
        headers: Headers,
        chunk: Callable[[], Awaitable[bytes]],
        *,
        host: str,
        silence: float,
        line_cap: int,
    ) -> None:
        self.status = status
        self.headers = headers
        self._chunk = chunk
        self._host = host
        self._silence = silence
        self._line_cap = line_cap

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Yield each line without its newline; end cleanly where the server ends the answer.

        A last line without a newline is yielded too. Raises Unanswered after `silence` seconds
        without a byte, when the connection breaks, and for a line longer than the cap.
        """
        rest = bytearray()
        async for chunk in self._chunks():
            start = len(rest)
            rest += chunk
            while (end := rest.find(b"\n", start)) >= 0:
                line = bytes(rest[:end])
                del rest[: end + 1]
                start = 0
                yield self._bounded(line)
            self._bounded(rest)
        if rest:
            yield bytes(rest)

    def _bounded(self, line: T) -> T:
        if len(line) > self._line_cap:
            raise Unanswered(f"{self._host} sent a line of over {self._line_cap} bytes")
        return line

    async def body(self, *, cap: int) -> bytes:
        """Return the body cut at `cap` bytes: for an error's answer, which does have an end."""
        whole = bytearray()
        async for chunk in self._chunks():
            whole += chunk
            if len(whole) >= cap:
                break
        return bytes(whole[:cap])

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    chunk = await self._chunk()
            except TimeoutError:
                raise Unanswered(
                    f"nothing heard from {self._host} for {self._silence:g} s"
                ) from None
            if not chunk:
                return
            yield chunk
