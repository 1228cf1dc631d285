from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pytest
import trustme

from backout.core.errors import ConfigError, Unreachable
from backout.http.addresses import NO_LOCAL
from backout.http.client import HttpClient
from backout.http.errors import Unanswered, Untrusted
from backout.http.proxies import of_environment, proxy_for
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    Close,
    Hang,
    Raw,
    ScriptedServer,
    Step,
    client_tls,
    server_tls,
)

if TYPE_CHECKING:
    import ssl

P = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://kube.example", {"HTTPS_PROXY": P}, P),
        ("https://kube.example", {"https_proxy": P}, P),
        ("https://kube.example", {"HTTPS_PROXY": "proxy:3128"}, P),
        ("https://kube.example", {"HTTP_PROXY": P}, None),
        ("http://kube.example", {"HTTP_PROXY": P}, P),
        ("https://kube.example", {}, None),
        ("https://localhost:6443", {"HTTPS_PROXY": P}, None),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": P}, None),
        ("https://[::1]:6443", {"HTTPS_PROXY": P}, None),
        ("https://kube.example", {"HTTPS_PROXY": P, "NO_PROXY": "*"}, None),
        ("https://kube.example", {"HTTPS_PROXY": P, "NO_PROXY": "a, EXAMPLE"}, None),
        ("https://kube.example", {"HTTPS_PROXY": P, "no_proxy": ".example"}, None),
        ("https://example", {"HTTPS_PROXY": P, "NO_PROXY": ".example"}, P),
        ("https://example", {"HTTPS_PROXY": P, "NO_PROXY": "*.example"}, P),
        ("https://notexample", {"HTTPS_PROXY": P, "NO_PROXY": "example"}, P),
        ("https://kube.example:6443", {"HTTPS_PROXY": P, "NO_PROXY": "example:6443"}, None),
        ("https://kube.example", {"HTTPS_PROXY": P, "NO_PROXY": "example:6443"}, P),
        ("https://10.1.2.3", {"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://11.1.2.3", {"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8,x/y"}, P),
        ("https://10.1.2.3", {"HTTPS_PROXY": P, "NO_PROXY": "10.1.2.3"}, None),
        ("https://[fd00::1]", {"HTTPS_PROXY": P, "NO_PROXY": "[fd00::1]"}, None),
        ("https://10.1.2.3", {"HTTPS_PROXY": P, "NO_PROXY": "2.3"}, P),
    ],
)
def test_the_environment_names_the_proxy(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    assert proxy_for(url, environ) == proxy


def test_a_proxy_of_another_kind_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        proxy_for("https://x", {"HTTPS_PROXY": "socks4://u:hunter2@p"})

    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("proxy", ["http://[::1", "http://", "ftp://p", "http://p:99999"])
def test_a_proxy_that_is_no_address_is_refused(proxy: str) -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY"):
        proxy_for("https://x", {"HTTPS_PROXY": proxy})


async def test_plain_http_goes_through_the_proxy_with_its_credentials() -> None:
    async with ScriptedServer([Answer(body=b"ok")]) as proxy:
        url = proxy.url.replace("//", "//user:hunter2@")
        async with HttpClient(proxy=url) as session:
            response = await session.request("GET", "http://kube.invalid/x", timeout=WITHIN)

    assert response.body == b"ok"
    assert proxy.requests[0].target == "http://kube.invalid/x"
    assert proxy.requests[0].headers["proxy-authorization"].startswith("Basic ")


class Tunnels:
    """A proxy on loopback that knows CONNECT and leads every one of them to `port`."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._port, self._tls = port, tls
        self.asked: list[bytes] = []
        self._tasks: list[asyncio.Task[None] | None] = []

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._open, "127.0.0.1", 0, ssl=self._tls)
        port = self._listener.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(WITHIN):
            await asyncio.gather(*filter(None, self._tasks))
        self._listener.close()

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.current_task())
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_copied(reader, back), _copied(there, writer))


@pytest.mark.parametrize("speaks_tls", [False, True])
async def test_https_goes_through_a_tunnel(*, speaks_tls: bool) -> None:
    ca = trustme.CA()
    body = b"ok" * 500_000
    async with (
        ScriptedServer([Answer(body=body), Answer()], tls=server_tls(ca, "kube.invalid")) as server,
        Tunnels(server.port, tls=server_tls(ca) if speaks_tls else None) as proxy,
        HttpClient(proxy=proxy.url.replace("//", "//user:hunter2@"), tls=client_tls(ca)) as session,
    ):
        response = await session.request("GET", "https://kube.invalid/x", timeout=WITHIN)
        await session.request("GET", "https://kube.invalid/y", timeout=WITHIN)

    assert response.body == body
    head = proxy.asked[0].decode().lower()
    assert head.startswith("connect kube.invalid:443 ")
    assert "\r\nproxy-authorization: basic " in head
    assert [(one.target, one.connection) for one in server.requests] == [("/x", 1), ("/y", 1)]
    assert all("proxy-authorization" not in one.headers for one in server.requests)


async def test_a_certificate_behind_a_tunnel_is_verified() -> None:
    ca = trustme.CA()
    async with (
        ScriptedServer(tls=server_tls(trustme.CA(), "kube.invalid")) as server,
        Tunnels(server.port) as proxy,
        HttpClient(proxy=proxy.url, tls=client_tls(ca)) as session,
    ):
        with pytest.raises(Untrusted, match="certificate verify failed"):
            await session.request("GET", "https://kube.invalid/x", timeout=WITHIN)

    assert server.requests == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Close(), "the proxy for kube.invalid closed the connection without an answer"),
        (Raw(bytes=b"SSH-2.0-x\r\n\r\n"), "the answer of the proxy for kube.invalid is not HTTP"),
    ],
)
async def test_what_is_no_proxy_is_named_and_nothing_was_sent(step: Step, words: str) -> None:
    async with ScriptedServer([step]) as proxy, HttpClient(proxy=proxy.url) as session:
        with pytest.raises(Unreachable, match=words) as caught:
            await session.request("PUT", "https://kube.invalid/x", body=b"", timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


async def test_a_proxy_that_never_answers_ends_in_the_connect_time_out() -> None:
    async with (
        ScriptedServer([Hang()]) as proxy,
        HttpClient(proxy=proxy.url, connect_timeout=0.2) as session,
    ):
        with pytest.raises(Unreachable, match=r"did not accept .* within 0\.2 s") as caught:
            await session.request("PUT", "https://kube.invalid/x", body=b"", timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until a side is gone, and close the other: a socket left open fails a later test."""
    try:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_a_proxy_that_refuses_is_named_and_nothing_was_sent() -> None:
    async with (
        ScriptedServer([Answer(status=407)]) as proxy,
        HttpClient(proxy=proxy.url) as session,
    ):
        with pytest.raises(Unreachable, match=r"proxy refused .* HTTP 407") as caught:
            await session.request("PUT", "https://kube.invalid/x", body=b"", timeout=WITHIN)

    assert not isinstance(caught.value, Unanswered)


async def test_a_proxy_that_is_away_is_named_without_its_password() -> None:
    async with ScriptedServer() as closed:
        url = closed.url.replace("//", "//user:hunter2@")
    async with HttpClient(proxy=url) as session:
        with pytest.raises(Unreachable, match="cannot connect to the proxy") as caught:
            await session.request("GET", "https://kube.invalid/x", timeout=WITHIN)

    assert "hunter2" not in caught.value.message


async def test_the_users_own_proxy_may_be_on_loopback() -> None:
    async with ScriptedServer([Answer(body=b"ok")]) as proxy:
        url = proxy.url.replace("127.0.0.1", "localhost")
        async with HttpClient(proxy=url, policy=NO_LOCAL) as session:
            response = await session.request("GET", "http://public.invalid/", timeout=WITHIN)
            with pytest.raises(Unreachable, match="will not connect"):
                await session.request("GET", "http://169.254.169.254/", timeout=WITHIN)

    assert response.body == b"ok"
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost./",
        "http://app.localhost/",
        "http://metadata.google.internal/",
        "http://127.0.0.1:1/",
        "http://[::ffff:169.254.169.254]/",
    ],
)
async def test_what_others_named_reaches_nothing_local_by_a_proxy_either(url: str) -> None:
    async with (
        ScriptedServer(lambda _: Answer()) as proxy,
        HttpClient(proxy=proxy.url, policy=NO_LOCAL) as session,
    ):
        with pytest.raises(Unreachable, match="will not connect"):
            await session.request("GET", url, timeout=WITHIN)

    assert proxy.requests == []


async def test_each_url_goes_the_way_that_the_environment_names_for_it() -> None:
    async with (
        ScriptedServer(lambda _: Answer(body=b"by proxy")) as proxy,
        ScriptedServer(lambda _: Answer(body=b"direct")) as server,
    ):
        environ = {"HTTP_PROXY": proxy.url, "NO_PROXY": "here.invalid"}
        async with HttpClient(proxy=of_environment(environ)) as session:
            away = await session.request("GET", "http://away.invalid/x", timeout=WITHIN)
            here = await session.request("GET", f"{server.url}/y", timeout=WITHIN)
            with pytest.raises(Unreachable, match="cannot find the address"):
                await session.request("GET", "http://here.invalid/", timeout=WITHIN)

    assert (away.body, here.body) == (b"by proxy", b"direct")
    assert [r.target for r in proxy.requests] == ["http://away.invalid/x"]


async def test_an_environment_that_names_no_usable_proxy_is_an_answer_and_shows_no_password() -> (
    None
):
    environ = {"HTTPS_PROXY": "ftp://user:hunter2@proxy:1080"}
    async with HttpClient(proxy=of_environment(environ)) as session:
        with pytest.raises(Unreachable, match="HTTPS_PROXY does not name") as caught:
            await session.request("GET", "https://away.invalid/", timeout=WITHIN)

    assert "hunter2" not in caught.value.message
