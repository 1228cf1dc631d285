"""How the API server is known, and how we show our certificate: one SSLContext."""

from __future__ import annotations

import re
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backout.core.errors import ConfigError
from backout.http.trust import of_system

if TYPE_CHECKING:
    from backout.kube.connection import KeyPair, Trust

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----",
)


def context_for(trust: Trust, key_pair: KeyPair | None) -> ssl.SSLContext:
    """Return the context; raise ConfigError for a CA or key pair that cannot be used.

    The same certificates are accepted as Go's crypto/tls accepts: a CA without an authority key
    identifier (many clusters' own), and an intermediate or leaf given as root.
    """
    context = _trusting(trust.ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False  # Go looks at subject alternative names only
    if trust.ca is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if key_pair is not None:
        _load(context, key_pair)
    return context


def certificates_in(pem: bytes) -> list[str]:
    """Return the certificates in it that can be read; what stands between them does not matter."""
    # Comments may be in any language; OpenSSL wants ASCII.
    text = pem.decode("ascii", "replace").replace("\ufffd", "?")
    return [block for block in _BLOCK.findall(text) if _is_certificate(block)]


def _is_certificate(block: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _trusting(ca: bytes | None) -> ssl.SSLContext:
    if ca is None:
        return of_system()
    found = certificates_in(ca)
    if not found:
        raise ConfigError(
            "certificate-authority does not hold a PEM certificate",
            remedy="check certificate-authority(-data) in the kubeconfig",
        )
    return ssl.create_default_context(cadata="\n".join(found))


def _load(context: ssl.SSLContext, key_pair: KeyPair) -> None:
    """Give the key pair to OpenSSL, which takes files only: private ones, gone at once."""
    with tempfile.TemporaryDirectory(prefix="backout-") as folder:  # mode 0700
        certificate, key = Path(folder, "certificate"), Path(folder, "key")
        certificate.write_bytes(key_pair.certificate)
        key.write_bytes(key_pair.key)
        try:
            # Without a password callable OpenSSL would ask on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (ssl.SSLError, ValueError):
            raise ConfigError(
                "the client certificate cannot be used with its key: not PEM, encrypted, "
                "or they do not belong together",
                remedy="check client-certificate and client-key in the kubeconfig",
            ) from None
