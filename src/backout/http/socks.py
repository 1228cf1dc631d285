"""The way to a server by a SOCKS 5 proxy, which resolves the server's name, as with Go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_socks import ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy

from backout.core.errors import Unreachable

if TYPE_CHECKING:
    import socket

    from backout.http.url import Url


async def connected(proxy: Url, url: Url, host: str, *, within: float) -> socket.socket:
    """Return a socket that leads to the server; `host` is for error text, `within` in seconds."""
    user, password = proxy.login or (None, None)
    way = Proxy(
        proxy_type=ProxyType.SOCKS5,
        host=proxy.host,
        port=proxy.port,
        username=user,
        password=password,
        rdns=True,
    )
    try:
        return await way.connect(url.host, url.port, timeout=within)
    except (ProxyError, ProxyTimeoutError, OSError) as error:
        # Its words may repeat what it was asked with.
        why = "" if isinstance(error, ProxyError) else " (it does not answer)"
        raise Unreachable(
            f"the SOCKS proxy for {host} gives no way to it{why}",
            remedy="check the proxy's address, rules and credentials",
        ) from None
