"""Metrics, alerts, and who else hears of a rollback."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options


class TelemetryOptions(Options, frozen=True, kw_only=True):
    """Which Prometheus is asked for what, and who is notified."""

    metrics: tuple[str, ...]
    prometheus: str | None
    prometheus_token_file: str | None
    prometheus_basic_file: str | None
    prometheus_ca: str | None
    notify: str | None
    notify_key_file: str | None

    declared = (
        click.option(
            "--metric",
            "metrics",
            metavar="'EXPR OP NUMBER'",
            multiple=True,
            help="PromQL condition that every series must meet for the service to be healthy; may "
            "be repeated.",
        ),
        click.option(
            "--prometheus",
            metavar="URL",
            envvar="BACKOUT_PROMETHEUS",
            help="Prometheus to ask for metrics and for firing alerts.",
        ),
        click.option(
            "--prometheus-token-file",
            metavar="FILE",
            envvar="BACKOUT_PROMETHEUS_TOKEN_FILE",
            help="File with the bearer token for Prometheus.",
        ),
        click.option(
            "--prometheus-basic-file",
            metavar="FILE",
            envvar="BACKOUT_PROMETHEUS_BASIC_FILE",
            help="File with user:password for Prometheus.",
        ),
        click.option(
            "--prometheus-ca",
            metavar="FILE",
            envvar="BACKOUT_PROMETHEUS_CA",
            help="CA certificates of Prometheus.",
        ),
        click.option(
            "--notify",
            metavar="URL",
            envvar="BACKOUT_NOTIFY",
            help="URL to POST the announcement and the outcome to, once each.",
        ),
        click.option(
            "--notify-key-file",
            metavar="FILE",
            envvar="BACKOUT_NOTIFY_KEY_FILE",
            help="File with the key that notifications are signed with.",
        ),
    )
