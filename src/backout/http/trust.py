"""Whom TLS connections trust: the system's CAs, and those of a file that the user names."""

from __future__ import annotations

import functools
import ssl
import sys

from backout.core.errors import ConfigError
from backout.core.text import untrusted

_KEYCHAIN = "darwin"
"""Python reads no certificates of this platform's."""


def with_authorities(ca_file: str | None, *, remedy: str) -> ssl.SSLContext | None:
    """Return a context that trusts the CAs of a PEM file beside the system's; None without one.

    Raises ConfigError where the file cannot be used, with this remedy.
    """
    if ca_file is None:
        return None
    context = of_system()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no PEM certificates in it"
        raise ConfigError(
            f"cannot use the CA file {untrusted(ca_file)}: {untrusted(str(reason))}", remedy=remedy
        ) from None
    return context


@functools.cache
def system_trust() -> ssl.SSLContext:
    """Return a context that trusts the system's CAs; read once (60 ms), when it is first needed."""
    context = of_system()
    context.set_alpn_protocols(("http/1.1",))
    return context


def of_system() -> ssl.SSLContext:
    """Return a context of its own that trusts the system's CAs."""
    if str(sys.platform) != _KEYCHAIN:
        return ssl.create_default_context()
    import truststore  # noqa: PLC0415 (needed there alone)

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
