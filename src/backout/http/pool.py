"""Connections that are kept for the next request to the same server."""

from __future__ import annotations

import asyncio
from time import monotonic as _now
from typing import TYPE_CHECKING

from backout.http.dial import Terms, dial

if TYPE_CHECKING:
    from backout.http.connection import HttpConnection
    from backout.http.url import Url

_KEPT = 15.0
"""Seconds that an unused connection is trusted: shorter than the idle time-outs of servers and
load balancers, because a request on one that they close meanwhile may have been done or not."""

Place = tuple[str, str, int]


class Pool:
    """All connections of a session. Their number is the callers' to bound."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._kept: dict[Place, list[tuple[HttpConnection, float]]] = {}

    async def take(self, url: Url, proxy: Url | None = None, *, host: str) -> HttpConnection:
        """Return a kept connection or a new one; raises what `dial` raises."""
        kept = self._kept.get(_place(url), [])
        while kept:
            connection, since = kept.pop()
            if connection.is_quiet and _now() - since < _KEPT:
                return connection
            connection.close()
        return await dial(url, self.terms, proxy=proxy, host=host)

    def give(self, url: Url, connection: HttpConnection) -> None:
        """Take a connection back: keep it if it can carry another request, else close it."""
        if connection.is_quiet:
            self._kept.setdefault(_place(url), []).append((connection, _now()))
        else:
            connection.close()

    async def close(self) -> None:
        """Close what is kept."""
        for kept in self._kept.values():
            for connection, _ in kept:
                connection.close()
        self._kept.clear()
        await asyncio.sleep(0)  # asyncio closes the sockets in its next round


def _place(url: Url) -> Place:
    return (url.scheme, url.host, url.port)
