"""Makes of files and addresses the clients for metrics and for notifications."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.http.trust import with_authorities
from backout.prometheus.client import PrometheusClient
from backout.session import small_file
from backout.steps.notifier import Notifier

if TYPE_CHECKING:
    from backout.core.mask import Mask
    from backout.http.client import HttpClient
    from backout.http.proxies import ProxyFor
_SECRET = re.compile(r"[\x21-\x7e]+")


class Telemetry(Struct, frozen=True, kw_only=True):
    """Where Prometheus is and who hears of a rollback; files may be secret."""

    prometheus: str | None = None
    prometheus_token_file: str | None = None
    prometheus_basic_file: str | None = None
    prometheus_ca: str | None = None
    notify: str | None = None
    notify_key_file: str | None = None


def prometheus(telemetry: Telemetry, proxy: ProxyFor, mask: Mask) -> PrometheusClient | None:
    """Return the client, not yet entered; None where no Prometheus is named.

    `proxy` tells by which one it is asked. Raises ConfigError for a file that cannot be used.
    """
    if not telemetry.prometheus:
        return None
    remedy = "give --prometheus-ca a PEM file with Prometheus' CA certificates"
    authorization = _authorization(telemetry, mask)
    mask.learn(authorization.rpartition(" ")[2])
    return PrometheusClient(
        telemetry.prometheus,
        authorization=authorization,
        tls=with_authorities(telemetry.prometheus_ca, remedy=remedy),
        proxy=proxy,
    )


def notifier(telemetry: Telemetry, session: HttpClient, mask: Mask) -> Notifier | None:
    """Return who is told; None where nobody is. Raises ConfigError for an unusable key file."""
    if not telemetry.notify:
        return None
    key = b""
    if telemetry.notify_key_file:
        key = small_file.read(telemetry.notify_key_file, "key").rstrip(b"\r\n")
        if not key:
            raise ConfigError(f"the key file {untrusted(telemetry.notify_key_file)} is empty")
        mask.learn(key.decode(errors="replace"))
    return Notifier(session, telemetry.notify, key=key)


def _authorization(telemetry: Telemetry, mask: Mask) -> str:
    if telemetry.prometheus_token_file:
        return f"Bearer {_line(telemetry.prometheus_token_file, 'token')}"
    if telemetry.prometheus_basic_file:
        pair = small_file.read(telemetry.prometheus_basic_file, "credentials").strip()
        if b":" not in pair or b"\n" in pair:
            shown = untrusted(telemetry.prometheus_basic_file)
            raise ConfigError(f"{shown} does not hold one line user:password")
        mask.learn(pair.decode(errors="replace").partition(":")[2])
        return f"Basic {base64.b64encode(pair).decode()}"
    return ""


def _line(file: str, what: str) -> str:
    text = small_file.read(file, what).decode("ascii", "replace").strip()
    if not _SECRET.fullmatch(text):
        raise ConfigError(f"{untrusted(file)} does not hold one line with a {what}")
    return text
