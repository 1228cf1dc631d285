"""Asks a component how it is: one request, a short time-out, a reason when it is not well."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sandbox.certificates import Certificates

TIMEOUT_SECONDS = 3.0
OK = 200
SHOWN_CHARACTERS = 200


def ask(url: str, certificates: Certificates, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Return why what answers at the address is not healthy; None when it is."""
    try:
        if url.startswith("unix:"):
            _connect(url.removeprefix("unix:"), timeout)
            return None
        status, body = request(url, certificates, timeout)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"[:SHOWN_CHARACTERS]
    if status == OK:
        return None
    return f"HTTP {status}: {body.decode(errors='replace').strip()}"[:SHOWN_CHARACTERS]


def request(
    url: str, certificates: Certificates, timeout: float = TIMEOUT_SECONDS
) -> tuple[int, bytes]:
    """GET; proxies of the environment are not for loopback and not asked."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.netloc, timeout=timeout, context=_tls(certificates)
        )
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def read_object(url: str, certificates: Certificates) -> dict[str, Any]:
    """Return an object of the API; empty when there is none, or no answer."""
    try:
        status, body = request(url, certificates)
    except (OSError, http.client.HTTPException):
        return {}
    found: dict[str, Any] = json.loads(body) if status == OK else {}
    return found


def _tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates.authority))
    # etcd tells its health only to who holds this; to the API server it is a login.
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


def _connect(path: str, timeout: float) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
