"""Every exception of the HTTP library, of TLS and of sockets -> one sentence and a remedy.

The sentence names the host, never the path, the query or a header: those may carry secrets.
Imports aiohttp: import it late.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backout.core.errors import Unreachable
from backout.http.errors import Unanswered, Untrusted
from backout.http.library import HttpProcessingError, aiohttp
from backout.http.reasons import certificate_words, system_reason, tls_words
from backout.http.resolver import AddressDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(kw_only=True)
class Attempt:
    """One request on its way. `connected` turns True before its first byte can leave."""

    host: str
    timeout: float
    connect_timeout: float
    connected: bool = False


class Broken(aiohttp.ClientError):
    """A connection died under a request; `__cause__` tells how (see `engine.never_resend`)."""


@contextmanager
def told(attempt: Attempt) -> Iterator[None]:
    """Turn whatever goes wrong inside into Unreachable (not sent) or Unanswered (may be sent)."""
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, AddressDenied, OSError, ValueError) as exc:
        message, remedy = _words(exc, attempt)
        raise _kind(exc, attempt)(message, remedy=remedy) from None


def _kind(exc: BaseException, attempt: Attempt) -> type[Unreachable]:
    if attempt.connected:
        return Unanswered
    distrust = (AddressDenied, ssl.CertificateError, aiohttp.ClientConnectorCertificateError)
    return Untrusted if isinstance(exc, distrust) else Unreachable


Words = tuple[str, str]
"""A sentence and a remedy (may be empty)."""


def _words(exc: BaseException, attempt: Attempt) -> Words:
    if isinstance(exc, Broken) and exc.__cause__ is not None:
        exc = exc.__cause__
    for kind, words in _TABLE:
        if isinstance(exc, kind):
            return words(exc, attempt)
    return f"the request to {attempt.host} failed", ""


def _timed_out(_exc: Any, attempt: Attempt) -> Words:
    if attempt.connected:
        return f"no answer from {attempt.host} within {attempt.timeout:g} s", ""
    return f"could not connect to {attempt.host} within {attempt.timeout:g} s", ""


# The first that fits counts: subclasses stand before their bases.
_TABLE: tuple[tuple[type[BaseException], Callable[[Any, Attempt], Words]], ...] = (
    (
        AddressDenied,
        lambda e, _: (f"will not connect to {e}", "give an address that is not the machine's own"),
    ),
    (
        aiohttp.ClientConnectorDNSError,
        lambda e, a: (
            f"cannot find the address of {a.host}: {system_reason(e.os_error)}",
            "check the name and DNS",
        ),
    ),
    (
        aiohttp.ClientConnectorCertificateError,
        lambda e, a: certificate_words(e.certificate_error, a.host),
    ),
    (
        aiohttp.ClientProxyConnectionError,
        lambda e, a: (
            f"cannot connect to the proxy for {a.host}: {system_reason(e.os_error)}",
            "check the proxy's address",
        ),
    ),
    (
        aiohttp.ClientHttpProxyError,
        lambda e, a: (
            f"the proxy refused to connect to {a.host}: HTTP {e.status}",
            "check the proxy's rules and credentials",
        ),
    ),
    (aiohttp.ClientConnectorSSLError, lambda e, a: tls_words(e.os_error, a.host)),
    (
        aiohttp.ClientConnectorError,
        lambda e, a: (f"cannot connect to {a.host}: {system_reason(e.os_error)}", ""),
    ),
    (
        aiohttp.InvalidURL,
        lambda _, a: (
            f"cannot ask {a.host}: not a full http or https address",
            "give it as https://HOST[:PORT]/PATH",
        ),
    ),
    (
        aiohttp.ConnectionTimeoutError,
        lambda _, a: (f"{a.host} did not accept a connection within {a.connect_timeout:g} s", ""),
    ),
    (TimeoutError, _timed_out),
    (
        aiohttp.ServerDisconnectedError,
        lambda _, a: (f"{a.host} closed the connection without an answer", ""),
    ),
    (aiohttp.ClientPayloadError, lambda _, a: (f"the answer of {a.host} broke off", "")),
    (HttpProcessingError, lambda _, a: (f"the answer of {a.host} is not valid HTTP", "")),
    (
        aiohttp.ClientResponseError,
        lambda _, a: (
            f"the answer of {a.host} is not HTTP",
            "check the address: http or https, and the port",
        ),
    ),
    (ssl.CertificateError, lambda e, a: certificate_words(e, a.host)),
    (ssl.SSLError, lambda e, a: tls_words(e, a.host)),
    (OSError, lambda e, a: (f"the connection to {a.host} broke: {system_reason(e)}", "")),
    (ValueError, lambda _, a: (f"cannot ask {a.host}: the request is not valid", "")),
)
