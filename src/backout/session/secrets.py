"""The secrets that a session is given: its mask learns them before anything is said."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.mask import Mask
    from backout.kube.connection import Connection
    from backout.session.telemetry import Telemetry

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def learn_connection(mask: Mask, connection: Connection, environ: Mapping[str, str]) -> None:
    """Learn who we are to the API server, and to proxies."""
    mask.learn(connection.credentials.token)
    named = (environ.get(n) for name in _PROXIES for n in (name, name.lower()))
    for proxy in filter(None, (connection.proxy, *named)):
        learn_url(mask, proxy if "://" in proxy else f"http://{proxy}")


def learn_addresses(mask: Mask, telemetry: Telemetry, urls: Iterable[str]) -> None:
    """Learn what URLs hold: of the one that is notified the path is a secret, too."""
    for url in filter(None, (telemetry.prometheus, telemetry.notify, *urls)):
        learn_url(mask, url)
    if telemetry.notify:
        parts = _split(telemetry.notify)
        mask.learn(parts.path.strip("/"), parts.query)


def learn_headers(mask: Mask, values: Iterable[str]) -> None:
    """Learn headers' values, also without the scheme before them."""
    for value in values:
        mask.learn(value, value.rpartition(" ")[2])


def learn_url(mask: Mask, url: str) -> None:
    """Learn the password that a URL holds."""
    parts = _split(url)
    if parts.password:
        mask.learn_logins([(parts.username or "", parts.password)])


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
