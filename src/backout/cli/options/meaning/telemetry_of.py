"""What the options on metrics, alerts and notifications come down to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from backout.core.health.promql import parse
from backout.core.text import untrusted
from backout.session.telemetry import Telemetry

if TYPE_CHECKING:
    from backout.cli.options.groups.telemetry import TelemetryOptions
    from backout.core.health.promql import Metric

_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_NOTIFY_URL = re.compile(r"https?://[^\s/@?#]+([/?][^\s#]*)?")


def telemetry(options: TelemetryOptions) -> Telemetry:
    """Return what the command line said; a usage error where it contradicts itself."""
    found = Telemetry(
        prometheus=options.prometheus,
        prometheus_token_file=options.prometheus_token_file,
        prometheus_basic_file=options.prometheus_basic_file,
        prometheus_ca=options.prometheus_ca,
        notify=options.notify,
        notify_key_file=options.notify_key_file,
    )
    if found.prometheus and not _URL.fullmatch(found.prometheus):
        raise click.UsageError("--prometheus takes an http(s) URL without credentials or query")
    if found.prometheus_token_file and found.prometheus_basic_file:
        raise click.UsageError("give --prometheus-token-file or --prometheus-basic-file, not both")
    if found.notify and not _NOTIFY_URL.fullmatch(found.notify):
        raise click.UsageError("--notify takes an http(s) URL without user and password")
    return found


def metrics(options: TelemetryOptions) -> tuple[Metric, ...]:
    """Return the metrics; a usage error where one cannot be told apart, or nobody can be asked."""
    texts = tuple(dict.fromkeys(options.metrics))
    if texts and not options.prometheus:
        raise click.UsageError("--metric needs --prometheus URL (or BACKOUT_PROMETHEUS)")
    return tuple(_metric(text) for text in texts)


def _metric(text: str) -> Metric:
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(
            f"--metric {untrusted(text, 120)!r}: {error}; it takes 'EXPR OP NUMBER', such as "
            "'sum(rate(errors[1m])) < 0.5'"
        ) from None
