"""Makes of files the client for the user's own --health URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.http.client import HttpClient
from backout.http.trust import with_authorities

if TYPE_CHECKING:
    from pathlib import Path

    from backout.http.proxies import ProxyFor


class HealthUrls(Struct, frozen=True, kw_only=True):
    """What the URLs are asked with: a file of headers, which may be secret, and CAs in PEM."""

    header_file: Path | None = None
    ca: str | None = None


def web(urls: HealthUrls, proxy: ProxyFor) -> HttpClient:
    """Return the client, not yet entered; raises ConfigError for a file that cannot be used."""
    remedy = "give --health-ca a PEM file with the CA certificates of the --health URLs"
    return HttpClient(tls=with_authorities(urls.ca, remedy=remedy), proxy=proxy)
