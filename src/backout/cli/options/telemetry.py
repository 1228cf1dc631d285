"""What the options on metrics, alerts and notifications come down to."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from backout.core.text import untrusted
from backout.session.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.health.promql import Metric

_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_NOTIFY_URL = re.compile(r"https?://[^\s/@?#]+([/?][^\s#]*)?")


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
