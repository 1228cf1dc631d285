"""Names to addresses, with the policy in between: the address that was checked is connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backout.http.addresses import AddressPolicy

Found = list[Any]
"""As socket.getaddrinfo returns it: (family, type, proto, canonical name, sockaddr)."""


class AddressDenied(Exception):  # noqa: N818 (reads as a sentence; never leaves the package)
    """Every address of a name is denied by the policy: the text says why."""


async def resolve(host: str, port: int, policy: AddressPolicy) -> Found:
    """Return the allowed addresses; raise OSError for DNS, AddressDenied for the policy."""
    found = await _getaddrinfo(host, port)
    allowed, objection = [], None
    for one in found:
        why = policy.objection(_numeric(one[4]))
        objection = objection or why
        if why is None:
            allowed.append(one)
    if objection and not allowed:
        raise AddressDenied(objection)
    return allowed


def _numeric(address: tuple[Any, ...]) -> str:
    """Return the literal of a sockaddr, with the scope id that a link-local address needs."""
    host = str(address[0])
    scope = address[3] if len(address) > 3 else 0  # noqa: PLR2004 (host, port, flow, scope)
    return f"{host}%{scope}" if scope and "%" not in host else host


async def _getaddrinfo(host: str, port: int) -> Found:
    """Look the name up in a daemon thread of its own; a literal address needs none.

    The loop's thread pool is joined when the program ends, and a resolver may block for 30 s: a
    request that timed out would still hold up the exit.
    """
    try:
        flags = socket.AI_NUMERICHOST
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
    except (OSError, ValueError):  # ValueError: a name that IDNA cannot encode
        pass
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
            found = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as exc:
            error = exc if isinstance(exc, OSError) else OSError(str(exc))
        try:
            loop.call_soon_threadsafe(settle, found, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=look_up, daemon=True, name="backout-dns").start()
    return await answer
