"""A URL as it goes on the wire: where to connect to, and what the request line says."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from backout.core.discreet import Discreet, Hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443}
SOCKS = {"socks5": 1080, "socks5h": 1080}
_PROXIES = {**_PORTS, **SOCKS}


class Url(Discreet, frozen=True, kw_only=True):
    """An http or https URL, taken apart and otherwise as it was given."""

    scheme: str
    host: str
    """In lower case, an IPv6 address without its brackets."""
    port: int
    authority: str
    """`host[:port]` for the Host header: the port only where it is not the scheme's own."""
    path: str
    """Path and query as they were given: quoting again could change which path it is."""
    login: Hidden[tuple[str, str] | None]
    """Name and password, from `user:password@`."""

    @property
    def credentials(self) -> str | None:
        """The value of an Authorization header (RFC 7617)."""
        if self.login is None:
            return None
        return f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}"

    @property
    def full(self) -> str:
        """The URL without credentials and fragment: what a proxy is asked for (RFC 9112, 3.2.2)."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def endpoint(self) -> str:
        """`host:port`, as CONNECT names it."""
        return f"{_bracketed(self.host)}:{self.port}"


def parse_proxy(url: str) -> Url:
    """Take a proxy's URL apart, which may be a SOCKS proxy's; raises ValueError as `parse`."""
    return parse(url, ports=_PROXIES)


def parse(url: str, *, ports: Mapping[str, int] = _PORTS) -> Url:
    """Take a URL apart; `ports` are the schemes that it may have, with the port of each.

    Raises ValueError where it is not a full http or https URL in printable ASCII; only the host
    may hold other letters (IDNA). `urlsplit` alone would drop line breaks without a word.
    """
    parts = urlsplit(url)
    host = _ascii(parts.hostname or "")
    rest = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    if parts.scheme not in ports or not host or not all("!" <= char <= "~" for char in host + rest):
        raise ValueError("not a full http or https URL")
    if any(char <= " " or char == "\x7f" for char in url):
        raise ValueError("a blank or a control character in the URL")
    if (port := ports[parts.scheme] if parts.port is None else parts.port) == 0:
        raise ValueError("no port has the number 0")
    shown = _bracketed(host)
    return Url(
        scheme=parts.scheme,
        host=host,
        port=port,
        authority=shown if port == ports[parts.scheme] else f"{shown}:{port}",
        path=rest,
        login=_login(parts),
    )


def host_of(url: str) -> str:
    """Return `host` or `host:port` of a URL for error text: no path, no query, no password."""
    try:
        parsed, port = parse(url), urlsplit(url).port
    except ValueError:
        return "the address given"
    return f"{_bracketed(parsed.host)}:{port}" if port else _bracketed(parsed.host)


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _login(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None and parts.password is None:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")
