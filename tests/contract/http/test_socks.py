"""Servers that are asked by a SOCKS 5 proxy (RFC 1928, 1929), which resolves their names."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import trustme

from backout.core.errors import Unreachable
from backout.http.client import HttpClient
from tests.contract.scripted_server import WITHIN, Answer, ScriptedServer, client_tls, server_tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOGIN = b"\x01\x03ann\x07hunter2"
REFUSED = b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"
OPEN = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


@dataclass
class Socks:
    """A proxy that leads whatever it is asked for to one port of this machine; 0: it refuses."""

    port: int
    url: str = ""
    names: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        is_asked = b"\x02" in await reader.readexactly(methods)
        writer.write(b"\x05\x02" if is_asked else b"\x05\x00")
        if is_asked:
            self.logins.append(await reader.readexactly(len(LOGIN)))
            writer.write(b"\x01\x00" if self.logins[-1] == LOGIN else b"\x01\x01")
        head = await reader.readexactly(5)
        assert head[:4] == b"\x05\x01\x00\x03", "the proxy is given names, never addresses"
        self.names.append((await reader.readexactly(head[4])).decode())
        await reader.readexactly(2)
        writer.write(OPEN if self.port else REFUSED)
        if self.port:
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(_copied(reader, back), _copied(there, writer))
        writer.close()


async def _copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65536):
        sink.write(chunk)
    sink.close()


@asynccontextmanager
async def proxied(url: str, login: str = "") -> AsyncIterator[Socks]:
    """Give a proxy before the server of this URL; none: before nothing."""
    socks = Socks(port=int(url.rpartition(":")[2]) if url else 0)
    server = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
    socks.url = f"socks5://{login}127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield socks
    finally:
        server.close()


async def test_a_name_that_only_the_proxy_knows_is_asked_with_tls_and_a_login() -> None:
    ca = trustme.CA()
    async with (
        ScriptedServer(
            lambda r: Answer(body=r.target.encode()), tls=server_tls(ca, "kube.invalid")
        ) as server,
        proxied(server.url, "ann:hunter2@") as socks,
        HttpClient(proxy=socks.url, tls=client_tls(ca)) as session,
    ):
        answer = await session.request("GET", "https://kube.invalid/version?a=b", timeout=WITHIN)

    assert answer.body == b"/version?a=b"
    assert (socks.names, socks.logins) == (["kube.invalid"], [LOGIN])


async def test_http_is_asked_as_without_a_proxy_and_the_connection_is_used_again() -> None:
    async with (
        ScriptedServer(lambda r: Answer(body=r.target.encode())) as server,
        proxied(server.url) as socks,
        HttpClient(proxy=socks.url) as session,
    ):
        first = await session.request("GET", "http://up.invalid/x", timeout=WITHIN)
        second = await session.request("GET", "http://up.invalid/y", timeout=WITHIN)

    assert (first.body, second.body) == (b"/x", b"/y")
    assert socks.names == ["up.invalid"]


@pytest.mark.parametrize("login", ["ann:hunter2@", "eve:hunter3@"])
async def test_a_proxy_that_refuses_or_is_not_there_is_told_without_its_password(
    login: str,
) -> None:
    async with proxied("", login) as socks, HttpClient(proxy=socks.url) as session:
        with pytest.raises(Unreachable, match=r"SOCKS proxy for up\.invalid") as refused:
            await session.request("GET", "http://up.invalid/", timeout=WITHIN)
    async with HttpClient(proxy=f"socks5://{login}127.0.0.1:1") as session:
        with pytest.raises(Unreachable, match=r"SOCKS proxy for up\.invalid") as absent:
            await session.request("GET", "http://up.invalid/", timeout=WITHIN)

    assert "hunter" not in f"{refused.value} {absent.value} {refused.value.remedy}"
