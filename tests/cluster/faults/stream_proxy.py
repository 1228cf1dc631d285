"""A fault proxy that spoils watches: what the real API server streams, closed, cut or made up.

    with StreamProxy.to(space.cluster) as proxy:
        proxy.spoil(cut_after(1))                  # every watch; `times` of each resource if given
        ...
    assert proxy.gone["deployments"] > 0           # the 410s that the API server itself gave

A fault is a function of the watch and its lines that yields what the client gets: its end is a
proper end, `Cut` breaks the connection off. `Refused` answers 410 instead, `From` asks the API
server for another resourceVersion than the client did.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.contract.fault_proxy import FaultProxy, _first, _goes_on, _line, _shut

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
BETWEEN_BOOKMARKS = 0.1
STRANGE = 999_999_999
"""The resourceVersion of what nobody ought to believe."""


class Cut(Exception):  # noqa: N818 (it reads as what happens)
    """Break the connection off here."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A watch that was asked for: `version` is its resourceVersion, `at` the monotonic time."""

    resource: str
    version: str
    at: float


Lines = AsyncIterator[bytes]
Mangle = Callable[[Watched, Lines], AsyncGenerator[bytes, None]]


@dataclass(frozen=True)
class Refused:
    """Answer 410 as an HTTP status."""


@dataclass(frozen=True)
class From:
    """Ask for what came since this resourceVersion."""

    version: str


Fault = Mangle | Refused | From


def event(type_: str, /, **content: Any) -> bytes:
    return json.dumps({"type": type_, "object": content}).encode() + b"\n"


EXPIRED: dict[str, Any] = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "too old resource version: 1 (2)",
    "reason": "Expired",
    "code": 410,
}


async def whole(_: Watched, lines: Lines) -> AsyncGenerator[bytes, None]:
    async for line in lines:
        yield line


def closed_after(count: int) -> Mangle:
    """End properly after so many lines."""

    async def mangled(_: Watched, lines: Lines) -> AsyncGenerator[bytes, None]:
        seen = 0
        while seen < count:
            yield await anext(lines)
            seen += 1

    return mangled


def cut_after(count: int) -> Mangle:
    """Break off in the middle of the line after so many."""

    async def mangled(_: Watched, lines: Lines) -> AsyncGenerator[bytes, None]:
        for _number in range(count):
            yield await anext(lines)
        line = await anext(lines)
        yield line[: len(line) // 2]
        raise Cut

    return mangled


async def silent(_watched: Watched, _lines: Lines) -> AsyncGenerator[bytes, None]:
    await asyncio.Event().wait()
    yield b""


async def gone(_watched: Watched, _lines: Lines) -> AsyncGenerator[bytes, None]:
    yield event("ERROR", **EXPIRED)


async def strange(_: Watched, lines: Lines) -> AsyncGenerator[bytes, None]:
    """Two events of a type that nobody knows, with a version from the future, and a real one."""
    metadata = {"name": "shop", "uid": "none", "resourceVersion": str(STRANGE)}
    for kind in ("RENAMED", ""):
        yield event(kind, kind="Deployment", apiVersion="apps/v1", metadata=metadata)
    yield await anext(lines)


def bookmarks(count: int) -> Mangle:
    """So many bookmarks that tell no news, then a proper end."""

    async def mangled(watched: Watched, _: Lines) -> AsyncGenerator[bytes, None]:
        for _number in range(count):
            yield event("BOOKMARK", metadata={"resourceVersion": watched.version})
            await asyncio.sleep(BETWEEN_BOOKMARKS)

    return mangled


class StreamProxy(FaultProxy):
    """`watches` are those that came, in order; `gone` counts the server's own 410s."""

    watches: list[Watched]
    gone: Counter[str]
    _fault: Fault
    _times: int | None

    @classmethod
    def to(cls, cluster: Cluster) -> Self:
        config = json.loads(cluster.kubeconfig.read_text())
        token = next(u["user"]["token"] for u in config["users"] if u["name"] == "admin")
        server = config["clusters"][0]["cluster"]["server"]
        made = cls(server, ca=cluster.state / "certificates" / "ca.crt", token=token)
        made.spoil(whole)
        return made

    def spoil(self, fault: Fault, *, times: int | None = None) -> None:
        """Spoil the next watches, all or so many of each resource; count from zero."""
        self._fault, self._times = fault, times
        self.watches, self.gone = [], Counter()
        self.forget()

    def asked(self, resource: str) -> int:
        """Return how often a list or watch of the resource was asked for."""
        return sum(line.endswith(f"/{resource}") for line in self.lines)

    async def _forward(
        self,
        head: bytes,
        body: bytes,
        number: int,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        line = _line(head)
        if not line.startswith("WATCH"):
            await super()._forward(head, body, number, client)
            return
        version = re.search(rb"[?&]resourceVersion=(\w*)", head)
        watched = Watched(
            resource=line.rpartition("/")[2],
            version=version[1].decode() if version else "",
            at=time.monotonic(),
        )
        self.watches.append(watched)
        nth = sum(w.resource == watched.resource for w in self.watches)
        fault = self._fault if self._times is None or nth <= self._times else whole
        reader, writer = client
        if isinstance(fault, Refused):
            await _refuse(writer)
            return
        if isinstance(fault, From):
            asked = f"resourceVersion={fault.version}".encode()
            head = re.sub(rb"\bresourceVersion=\w*", asked, head, count=1)
            fault = whole
        up, down = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        try:
            down.write(self._rewritten(head))
            await down.drain()
            answer = await up.readuntil(b"\r\n\r\n")
            if b"chunked" not in answer.lower():
                writer.write(answer + await up.read())
                await writer.drain()
            elif await _goes_on(self.after(number, line)):
                lines = self._noted(watched, _unchunked(up))
                await _first(_mangled(fault, watched, lines, writer), reader.read())
        finally:
            await _shut(down)

    async def _noted(self, watched: Watched, lines: Lines) -> AsyncIterator[bytes]:
        async for line in lines:
            found = json.loads(line)
            if found["type"] == "ERROR" and found["object"].get("code") == EXPIRED["code"]:
                self.gone[watched.resource] += 1
            yield line


async def _mangled(
    fault: Mangle, watched: Watched, lines: Lines, writer: asyncio.StreamWriter
) -> None:
    writer.write(CHUNKED)
    await writer.drain()
    try:
        async with aclosing(fault(watched, lines)) as pieces:
            async for piece in pieces:
                writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                await writer.drain()
    except Cut:
        return
    except RuntimeError as error:  # the API server ended its watch first: `anext` in a generator
        if not isinstance(error.__cause__, StopAsyncIteration):
            raise
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _unchunked(up: asyncio.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    while size := int(await up.readline() or b"0", 16):
        rest += await up.readexactly(size)
        await up.readline()
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line + b"\n"


async def _refuse(writer: asyncio.StreamWriter) -> None:
    body = json.dumps(EXPIRED).encode()
    head = f"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
    await writer.drain()
