"""HTTP/1.1 over one connection, by h11: a request goes out once, its answer comes in pieces.

Whatever goes wrong here is Unanswered: the request may have been sent.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h11

from backout.http.errors import Unanswered
from backout.http.reasons import certificate_words, system_reason, tls_words
from backout.http.response import Headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.http.wire import Wire

_HEAD_CAP = 64 * 1024
"""Bytes of a status line with all headers, and of a chunk's own line. An API server's warnings
alone may be 4 KiB; h11's own limit is 16 KiB."""


class HttpConnection:
    """One request and its answer at a time. `host` is for error text."""

    def __init__(self, wire: Wire, *, host: str) -> None:
        self.wire = wire
        self._host = host
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_CAP)

    @property
    def is_quiet(self) -> bool:
        """Whether a request can be sent on it: open, the last answer read, nothing unasked."""
        unasked, _ = self._h11.trailing_data
        return self._h11.our_state is h11.IDLE and not unasked and self.wire.is_quiet

    def send(self, request: h11.Request, body: bytes) -> None:
        """Send a request; call `head` next."""
        out = [self._h11.send(request)]
        if body:
            out.append(self._h11.send(h11.Data(data=body)))
        out.append(self._h11.send(h11.EndOfMessage()))
        self.wire.write(b"".join(part for part in out if part))

    async def head(self) -> tuple[int, Headers]:
        """Return status and headers of the answer; `1xx` before it are passed over."""
        with self._told(f"the answer of {self._host} is not HTTP"):
            while True:
                try:
                    event = await self._next()
                except EOFError:
                    if self._h11.trailing_data[0]:  # something, but no head
                        raise h11.RemoteProtocolError("an incomplete head") from None
                    raise Unanswered(
                        f"{self._host} closed the connection without an answer"
                    ) from None
                if isinstance(event, h11.Response):
                    pairs = ((_text(name), _text(value)) for name, value in event.headers)
                    return event.status_code, Headers(pairs)

    async def chunk(self) -> bytes:
        """Return the next piece of the body, nothing at its end."""
        with self._told(f"the answer of {self._host} is not valid HTTP"):
            try:
                event = await self._next()
            except EOFError:
                raise Unanswered(f"the answer of {self._host} broke off") from None
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        return b""

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self.wire.close()

    async def _next(self) -> object:
        """Return h11's next event; raise EOFError where the server ended before the answer did.

        h11 knows whether the end of the connection is the end of the answer (RFC 9112, 6.3).
        """
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            data = await self.wire.read()
            self._h11.receive_data(data)
            if not data:
                return self._last()
        return event

    def _last(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError:
            raise EOFError from None

    @contextmanager
    def _told(self, invalid: str) -> Iterator[None]:
        try:
            yield
        except h11.RemoteProtocolError:
            remedy = "check the address: http or https, and the port"
            raise Unanswered(invalid, remedy=remedy) from None
        except OSError as error:
            message, remedy = _broken(error, self._host)
            raise Unanswered(message, remedy=remedy) from None


def _broken(error: OSError, host: str) -> tuple[str, str]:
    if isinstance(error, ssl.CertificateError):
        return certificate_words(error, host)
    if isinstance(error, ssl.SSLError):
        return tls_words(error, host)
    return f"the connection to {host} broke: {system_reason(error)}", ""


def _text(raw: bytes) -> str:
    """Decode a header as Go does, which writes UTF-8: what is not stays recognisable."""
    return raw.decode("utf-8", "surrogateescape")
