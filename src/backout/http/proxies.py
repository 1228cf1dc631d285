"""Which proxy the environment names for a URL: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

The rules are Go's, so that we go the way kubectl goes: golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backout.core.errors import ConfigError
from backout.http.url import SOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    ProxyFor = Callable[[str], str | None]

_SCHEMES = frozenset({"http", "https", *SOCKS})


def of_environment(environ: Mapping[str, str]) -> ProxyFor:
    """Return what tells for a URL by which proxy the environment has it asked (see `proxy_for`)."""
    return lambda url: proxy_for(url, environ)


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's URL for an http or https URL, or None to connect directly.

    Loopback is never asked for through a proxy. Raises ConfigError for a proxy that is not http,
    https or socks5; its text is not shown, since it may hold a password.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    variable = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    proxy = environ.get(variable) or environ.get(variable.lower()) or ""
    if not proxy or _is_loopback(host):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    exceptions = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if any(_excepts(one.strip().lower(), host, port) for one in exceptions.split(",")):
        return None
    return _usable(proxy, variable)


def _usable(proxy: str, variable: str) -> str:
    full = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(full)
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{variable} does not name an http, https or socks5 proxy",
            remedy=f"change {variable}, or list the host in NO_PROXY",
        )
    return full


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _excepts(pattern: str, host: str, port: int) -> bool:
    """Tell whether one entry of NO_PROXY covers the host: `*`, CIDR, address, domain, `:port`."""
    if pattern in {"", "*"}:
        return pattern == "*"
    if "/" in pattern:
        return _in_network(pattern, host)
    name, wanted = _split_port(pattern)
    if wanted and wanted != str(port):
        return False
    host_address = _address(host)
    if (address := _address(name)) is not None or host_address is not None:
        return address == host_address  # a domain never covers an address
    if name.startswith(("*.", ".")):  # subdomains only
        return host.endswith(name.removeprefix("*"))
    return host == name or host.endswith(f".{name}")


def _split_port(pattern: str) -> tuple[str, str]:
    if _address(pattern.strip("[]")) is not None:
        return pattern.strip("[]"), ""
    name, colon, port = pattern.rpartition(":")
    return (name.strip("[]"), port) if colon and port.isdigit() else (pattern, "")


def _in_network(pattern: str, host: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
