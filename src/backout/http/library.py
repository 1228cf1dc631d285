"""aiohttp, imported without reading the system's CAs: twice 0.06 s that most runs do not need.

It makes two TLS contexts of its own when it is imported. Every https request of ours is given
one (`engine`), so that these are never used; if one were, it would trust nobody.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AbstractResolver", "HttpProcessingError", "ResolveResult", "aiohttp"]

_READS = "set_default_verify_paths"


@contextmanager
def _reading_no_certificates() -> Iterator[None]:
    """Hide OpenSSL's own method, which Python's class inherits, and show it again."""
    setattr(ssl.SSLContext, _READS, _read_nothing)
    try:
        yield
    finally:
        delattr(ssl.SSLContext, _READS)


def _read_nothing(_context: ssl.SSLContext) -> None:
    """Leave a context without CAs."""


with _reading_no_certificates():
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.http_exceptions import HttpProcessingError
