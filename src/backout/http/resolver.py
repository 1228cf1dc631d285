"""Names to addresses, with the policy in between: the address that was checked is connected to.

Imports aiohttp: import it late.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

from backout.core.text import untrusted
from backout.http.library import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from backout.http.addresses import AddressPolicy

Found = list[Any]
"""As socket.getaddrinfo returns it: (family, type, proto, canonical name, sockaddr)."""


class AddressDenied(Exception):  # noqa: N818 (reads as a sentence; never leaves the package)
    """Every address of a name is denied by the policy. Not an OSError: aiohttp wraps those."""


class CheckedResolver(AbstractResolver):
    """The system's resolver, minus the addresses to which `policy` objects.

    `exempt` is the host of the user's own proxy: it may well live on loopback.
    """

    def __init__(self, policy: AddressPolicy, *, exempt: str | None = None) -> None:
        self._policy = policy
        self._exempt = exempt

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the allowed addresses; raise OSError for DNS, AddressDenied for the policy."""
        found = await _getaddrinfo(host, port, family)
        allowed: list[ResolveResult] = []
        objection = None
        for kind, _type, proto, _name, address in found:
            text = _numeric(address)
            why = None if host == self._exempt else self._policy.objection(text)
            objection = objection or why
            if why is None:
                allowed.append(_result(host, text, port, kind, proto))
        if objection and not allowed:
            raise AddressDenied(f"{untrusted(host)} is {objection}")
        return allowed

    async def close(self) -> None:
        """Nothing to release."""


def _result(host: str, address: str, port: int, family: int, proto: int) -> ResolveResult:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=proto, flags=flags
    )


def _numeric(address: tuple[Any, ...]) -> str:
    """Return the literal of a sockaddr, with the scope id that a link-local address needs."""
    host = str(address[0])
    scope = address[3] if len(address) > 3 else 0  # noqa: PLR2004 (host, port, flow, scope)
    return f"{host}%{scope}" if scope and "%" not in host else host


async def _getaddrinfo(host: str, port: int, family: int) -> Found:
    """Look the name up in a daemon thread of its own.

    The loop's thread pool is joined when the program ends, and a resolver may block for 30 s: a
    request that timed out would still hold up the exit.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Found] = loop.create_future()

    def settle(found: Found | None, error: Exception | None) -> None:
        if answer.done():  # timed out or cancelled meanwhile
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def look_up() -> None:
        found: Found | None = None
        error: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        except (OSError, ValueError) as exc:  # ValueError: a name that IDNA cannot encode
            error = exc if isinstance(exc, OSError) else OSError(str(exc))
        try:
            loop.call_soon_threadsafe(settle, found, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=look_up, daemon=True, name="backout-dns").start()
    return await answer
