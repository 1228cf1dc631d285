"""Besides its sentence a caller must know one thing about a failed request: was it sent."""

from __future__ import annotations

from backout.core.errors import Unreachable


class Unanswered(Unreachable):
    """The request may have been sent and no usable answer came: time-out, reset, body broken off.

    A plain `Unreachable` of this package means that nothing was sent: address, connection, TLS or
    proxy failed before the first byte of the request.
    """


class TooLarge(Unanswered):
    """The answer is larger than the room for it: it would be the next time, too."""


class Untrusted(Unreachable):
    """We will not talk to what is there: its certificate or its address. Asking again is no use."""
