"""From a URL to an open connection: DNS, the address policy, TCP, the proxy, TLS.

Whatever goes wrong here is Unreachable or Untrusted: nothing of the request was sent. The words
name the host, never the path, the query or a password: those may be secret.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h11
from aiohappyeyeballs import start_connection
from msgspec import Struct

from backout.core.errors import Unreachable
from backout.core.text import untrusted
from backout.http.addresses import ANY_ADDRESS, AddressPolicy
from backout.http.connection import HttpConnection
from backout.http.errors import Unanswered, Untrusted
from backout.http.reasons import certificate_words, system_reason, tls_words
from backout.http.resolver import AddressDenied, Found, resolve
from backout.http.trust import system_trust
from backout.http.url import SOCKS
from backout.http.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.http.proxies import ProxyFor
    from backout.http.url import Url

_NEXT_FAMILY_AFTER = 0.25
"""Seconds until another address is tried beside the first (RFC 8305, section 8)."""
_LOOK_UP = 2.0
"""Seconds for a name that only the proxy needs to know."""
_OK = range(200, 300)


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for every request of a client (see `client.HttpClient`)."""

    tls: ssl.SSLContext | None
    connect_timeout: float
    policy: AddressPolicy
    proxy_for: ProxyFor
    server_hostname: str | None
    user_agent: str


async def dial(url: Url, terms: Terms, *, proxy: Url | None, host: str) -> HttpConnection:
    """Return a connection on which a request for `url` can be sent; `host` is for error text."""
    late = f"{host} did not accept a connection within {terms.connect_timeout:g} s"
    _check_literal(url, terms.policy)
    try:
        async with asyncio.timeout(terms.connect_timeout):
            if proxy is None:
                return HttpConnection(await _direct(url, terms, host), host=host)
            await _look_up(url, terms)
            return await _through(proxy, url, terms, host)
    except TimeoutError:
        raise Unreachable(late) from None


async def _look_up(url: Url, terms: Terms) -> None:
    """Apply the policy to a name that a proxy is to be asked for, as far as it can be.

    A name that says by itself what it is, is refused; any other where this machine's own DNS knows
    denied addresses of it alone. Behind many a proxy there is no DNS for the names of others: then
    it is the proxy, and the machine it runs on, that resolves and connects.
    """
    if terms.policy is ANY_ADDRESS:
        return
    if (objection := terms.policy.objection_to_name(url.host)) is not None:
        raise _denied(f"{untrusted(url.host)}: {objection}")
    try:
        async with asyncio.timeout(min(_LOOK_UP, terms.connect_timeout / 2)):
            await resolve(url.host, url.port, terms.policy)
    except AddressDenied as denied:
        raise _denied(f"{untrusted(url.host)} is {denied}") from None
    except (OSError, TimeoutError):
        return


def _check_literal(url: Url, policy: AddressPolicy) -> None:
    """Apply the policy to an address in the URL itself, by which way it is ever asked."""
    host = url.host
    if ":" not in host and not host.replace(".", "").isdigit():
        return
    if (objection := policy.objection(host)) is not None:
        raise _denied(f"{host}: {objection}")


def _denied(what: str) -> Untrusted:
    remedy = "give an address that is not the machine's own"
    return Untrusted(f"will not connect to {what}", remedy=remedy)


async def _direct(url: Url, terms: Terms, host: str) -> Wire:
    found = await _addresses(url, terms.policy, host)
    name = terms.server_hostname or url.host
    tls = _trust(terms) if url.scheme == "https" else None
    with _told(host, f"cannot connect to {host}"):
        return await _connect(found, tls, name)


async def _through(proxy: Url, url: Url, terms: Terms, host: str) -> HttpConnection:
    """Return a connection to the proxy, or through it by CONNECT where TLS is to be spoken."""
    if proxy.scheme in SOCKS:
        return HttpConnection(await _by_socks(proxy, url, terms, host), host=host)
    found = await _addresses(proxy, ANY_ADDRESS, host)  # the user's own: it may be on loopback
    tls = _trust(terms) if proxy.scheme == "https" else None
    with _told(host, f"cannot connect to the proxy for {host}", "check the proxy's address"):
        wire = await _connect(found, tls, proxy.host)
    connection = HttpConnection(wire, host=host)
    if url.scheme == "http":
        return connection
    try:
        await _tunnel(wire, proxy, url, host)
        with _told(host, f"cannot connect to {host}"):
            name = terms.server_hostname or url.host
            await _start_tls(wire, _trust(terms), name)
    except BaseException:
        wire.close()
        raise
    return connection


async def _by_socks(proxy: Url, url: Url, terms: Terms, host: str) -> Wire:
    from backout.http.socks import connected  # noqa: PLC0415 (14 ms, seldom needed)

    sock = await connected(proxy, url, host, within=terms.connect_timeout)
    tls = _trust(terms) if url.scheme == "https" else None
    with _told(host, f"cannot connect to {host}"):
        return await _wired(sock, tls, terms.server_hostname or url.host)


async def _addresses(url: Url, policy: AddressPolicy, host: str) -> Found:
    try:
        return await resolve(url.host, url.port, policy)
    except AddressDenied as denied:
        raise _denied(f"{untrusted(url.host)} is {denied}") from None
    except OSError as error:
        message = f"cannot find the address of {host}: {system_reason(error)}"
        raise Unreachable(message, remedy="check the name and DNS") from None


async def _connect(found: Found, tls: ssl.SSLContext | None, name: str) -> Wire:
    """Connect to the first address that answers, with TLS where a context is given."""
    sock = await start_connection(found, happy_eyeballs_delay=_NEXT_FAMILY_AFTER)
    return await _wired(sock, tls, name)


async def _wired(sock: socket.socket, tls: ssl.SSLContext | None, name: str) -> Wire:
    # A watch may be silent for long: what lies in between must not forget it.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    _, wire = await asyncio.get_running_loop().create_connection(
        Wire, sock=sock, ssl=tls, server_hostname=name.rstrip(".") if tls else None
    )
    return wire


async def _tunnel(wire: Wire, proxy: Url, url: Url, host: str) -> None:
    """Ask the proxy for a way to the server (RFC 9110, 9.3.6)."""
    headers = [("Host", url.endpoint)]
    if proxy.credentials:
        headers.append(("Proxy-Authorization", proxy.credentials))
    asked = HttpConnection(wire, host=f"the proxy for {host}")
    asked.send(h11.Request(method="CONNECT", target=url.endpoint, headers=headers), b"")
    try:
        status, _ = await asked.head()
    except Unanswered as error:
        raise Unreachable(error.message, remedy="check the proxy's address") from None
    if status not in _OK:
        raise Unreachable(
            f"the proxy refused to connect to {host}: HTTP {status}",
            remedy="check the proxy's rules and credentials",
        )


async def _start_tls(wire: Wire, tls: ssl.SSLContext, name: str) -> None:
    transport = await asyncio.get_running_loop().start_tls(
        wire.transport, wire, tls, server_hostname=name.rstrip(".")
    )
    if transport is None:  # the connection ended during the handshake (cpython#113538)
        raise ConnectionResetError
    wire.connection_made(transport)


def _trust(terms: Terms) -> ssl.SSLContext:
    return terms.tls or system_trust()


@contextmanager
def _told(host: str, failed: str, remedy: str = "") -> Iterator[None]:
    """Turn what a connection fails with into words."""
    try:
        yield
    except ssl.CertificateError as error:
        message, remedy = certificate_words(error, host)
        raise Untrusted(message, remedy=remedy) from None
    except ssl.SSLError as error:
        message, remedy = tls_words(error, host)
        raise Unreachable(message, remedy=remedy) from None
    except (OSError, ValueError) as error:
        reason = system_reason(error) if isinstance(error, OSError) else "its name is not valid"
        raise Unreachable(f"{failed}: {reason}", remedy=remedy) from None
