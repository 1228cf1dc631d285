"""What the options on metrics, alerts and notifications come down to."""

from __future__ import annotations

import base64
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from backout.cli.options import small_file
from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.health.promql import Metric
    from backout.http.session import Session
    from backout.prometheus.client import PrometheusClient
    from backout.steps.notify import Notifier

_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_NOTIFY_URL = re.compile(r"https?://[^\s/@?#]+([/?][^\s#]*)?")
_SECRET = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """Where Prometheus is and who hears of a rollback, as the options say it."""

    prometheus: str | None = None
    prometheus_token_file: str | None = None
    prometheus_basic_file: str | None = None
    prometheus_ca: str | None = None
    notify: str | None = None
    notify_key_file: str | None = None


def telemetry_of(values: Mapping[str, Any]) -> Telemetry:
    """Return what the command line said; a usage error where it contradicts itself."""
    found = Telemetry(**{f.name: values.get(f.name) for f in fields(Telemetry)})
    if found.prometheus and not _URL.fullmatch(found.prometheus):
        raise click.UsageError("--prometheus takes an http(s) URL without credentials or query")
    if found.prometheus_token_file and found.prometheus_basic_file:
        raise click.UsageError("give --prometheus-token-file or --prometheus-basic-file, not both")
    if found.notify and not _NOTIFY_URL.fullmatch(found.notify):
        raise click.UsageError("--notify takes an http(s) URL without user and password")
    return found


def metrics_of(values: Mapping[str, Any]) -> tuple[Metric, ...]:
    """Return the metrics; a usage error where one cannot be told apart, or nobody can be asked."""
    texts = tuple(dict.fromkeys(values.get("metrics") or ()))
    if texts and not values.get("prometheus"):
        raise click.UsageError("--metric needs --prometheus URL (or BACKOUT_PROMETHEUS)")
    return tuple(_metric(text) for text in texts)


def _metric(text: str) -> Metric:
    from backout.core.health.promql import parse  # noqa: PLC0415 (most runs have none)

    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(
            f"--metric {untrusted(text, 120)!r}: {error}; it takes 'EXPR OP NUMBER', such as "
            "'sum(rate(errors[1m])) < 0.5'"
        ) from None


def prometheus(telemetry: Telemetry) -> PrometheusClient | None:
    """Return the client, not yet entered; None where no Prometheus is named.

    Raises ConfigError for a file that cannot be used.
    """
    if not telemetry.prometheus:
        return None
    from backout.http.trust import with_authorities  # noqa: PLC0415 (most runs have none)
    from backout.prometheus.client import PrometheusClient  # noqa: PLC0415

    remedy = "give --prometheus-ca a PEM file with Prometheus' CA certificates"
    return PrometheusClient(
        telemetry.prometheus,
        authorization=_authorization(telemetry),
        tls=with_authorities(telemetry.prometheus_ca, remedy=remedy),
    )


def notifier(telemetry: Telemetry, session: Session) -> Notifier | None:
    """Return who is told; None where nobody is. Raises ConfigError for an unusable key file."""
    if not telemetry.notify:
        return None
    from backout.steps.notify import Notifier  # noqa: PLC0415 (most runs have none)

    key = b""
    if telemetry.notify_key_file:
        key = small_file.read(telemetry.notify_key_file, "key").rstrip(b"\r\n")
        if not key:
            raise ConfigError(f"the key file {untrusted(telemetry.notify_key_file)} is empty")
    return Notifier(session, telemetry.notify, key=key)


def _authorization(telemetry: Telemetry) -> str:
    if telemetry.prometheus_token_file:
        return f"Bearer {_line(telemetry.prometheus_token_file, 'token')}"
    if telemetry.prometheus_basic_file:
        pair = small_file.read(telemetry.prometheus_basic_file, "credentials").strip()
        if b":" not in pair or b"\n" in pair:
            shown = untrusted(telemetry.prometheus_basic_file)
            raise ConfigError(f"{shown} does not hold one line user:password")
        return f"Basic {base64.b64encode(pair).decode()}"
    return ""


def _line(file: str, what: str) -> str:
    text = small_file.read(file, what).decode("ascii", "replace").strip()
    if not _SECRET.fullmatch(text):
        raise ConfigError(f"{untrusted(file)} does not hold one line with a {what}")
    return text
