"""A cluster's `server` -> the URL that is asked, by Go's rules. Pure.

Source: client-go rest/url_utils.go (DefaultServerURL), rest/request.go (URL). Measured, and not
what one would expect: an address without a scheme is always plain http, even where a CA is given,
because client-go looks at the address before it looks at the CA.
"""

from __future__ import annotations

import posixpath
from urllib.parse import SplitResult, quote, unquote, urlsplit


def server_url(text: str) -> str:
    """Return scheme, host, port and path, without a trailing slash; raise ValueError.

    The message is the rest of a sentence about `server`.
    """
    parts = _parsed(text)
    if parts is None or not parts.scheme or not parts.netloc:
        parts = _parsed(f"http://{text}")
        if parts is None or parts.path not in {"", "/"}:
            raise ValueError("is not an http or https address")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https address")
    if "@" in parts.netloc:
        raise ValueError("has a user or a password in it")
    return f"{parts.scheme}://{parts.netloc.removesuffix(':')}{_path(parts.path)}"


def _parsed(text: str) -> SplitResult | None:
    """Return the parts, None for what Go's url.Parse refuses; Python drops blanks silently."""
    if any(character <= " " or character == "\x7f" for character in text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _path(path: str) -> str:
    """Return the path cleaned as Go's path.Join cleans it: `//a/../b/` is `/b`."""
    clean = posixpath.normpath("/" + unquote(path).lstrip("/"))
    return quote(clean, safe="/$&+,:;=@~").rstrip("/")
