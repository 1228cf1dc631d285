"""What healthy means: what is asked, how, and until when."""

from __future__ import annotations

import click

from backout.cli.options.durations import DURATION, DURATION_OR_NONE, typed
from backout.cli.options.groups.options import Options
from backout.cli.options.values import Number, OneOf
from backout.core.preflight import defaults


class HealthOptions(Options, frozen=True, kw_only=True):
    """What healthy means, as it was typed. Durations in seconds.

    `soak` and `health_timeout` None: what follows from the others.
    """

    health: tuple[str, ...]
    health_status: str
    health_text: str
    health_json: tuple[str, ...]
    health_method: str
    health_header_file: str | None
    health_ca: str | None
    health_command: str
    health_command_timeout: float
    health_successes: int
    soak: float | None
    health_timeout: float | None
    require_health: bool

    declared = (
        click.option(
            "--health",
            multiple=True,
            metavar="URL|PATH",
            envvar="BACKOUT_HEALTH",
            help="Address that must answer for the service to be healthy: a URL, /path or "
            "PORT/path; may be repeated.  [default: the readiness probe's]",
        ),
        click.option(
            "--health-status",
            default="",
            metavar="STATUS",
            envvar="BACKOUT_HEALTH_STATUS",
            help="Status codes that count as healthy: 200, 2xx, 200-204 or a list.  [default: 2xx]",
        ),
        click.option(
            "--health-text",
            default="",
            metavar="TEXT",
            envvar="BACKOUT_HEALTH_TEXT",
            help="Text that the body of a healthy answer contains.",
        ),
        click.option(
            "--health-json",
            multiple=True,
            metavar="PATH=VALUE",
            envvar="BACKOUT_HEALTH_JSON",
            help="Field that the JSON of a healthy answer has: status=ok, checks.0.db=up.",
        ),
        click.option(
            "--health-method",
            type=OneOf(["GET", "HEAD", "POST"]),
            default=defaults.METHOD,
            envvar="BACKOUT_HEALTH_METHOD",
            help=f"HTTP method that health URLs are asked with.  [default: {defaults.METHOD}]",
        ),
        click.option(
            "--health-header-file",
            metavar="FILE",
            envvar="BACKOUT_HEALTH_HEADER_FILE",
            help="File with headers for health URLs of one host, a line `Name: value` each; "
            "BACKOUT_HEALTH_HEADER may hold one, too.",
        ),
        click.option(
            "--health-ca",
            metavar="FILE",
            envvar="BACKOUT_HEALTH_CA",
            help="CA certificates for health URLs, beside the system's.",
        ),
        click.option(
            "--health-command",
            default="",
            metavar="CMD",
            envvar="BACKOUT_HEALTH_COMMAND",
            help="Smoke test of your own, run by /bin/sh -c: exit 0 is healthy.",
        ),
        click.option(
            "--health-command-timeout",
            type=DURATION,
            default=defaults.COMMAND,
            envvar="BACKOUT_HEALTH_COMMAND_TIMEOUT",
            help=f"Kill the smoke test after this long.  [default: {typed(defaults.COMMAND)}]",
        ),
        click.option(
            "--health-successes",
            type=Number(1, 100),
            default=defaults.SUCCESSES,
            show_default=True,
            envvar="BACKOUT_HEALTH_SUCCESSES",
            help="Number of healthy answers in a row, one a second, that prove the service "
            "healthy.",
        ),
        click.option(
            "--soak",
            type=DURATION_OR_NONE,
            envvar="BACKOUT_SOAK",
            help="Least time that the healthy answers must span.  "
            f"[default: {typed(defaults.SOAK)}, nothing where one answer is enough]",
        ),
        click.option(
            "--health-timeout",
            type=DURATION,
            envvar="BACKOUT_HEALTH_TIMEOUT",
            help="Time limit for the service to become healthy.  "
            f"[default: {typed(defaults.HEALTH)}, and what --soak and the runs of "
            "--health-command may take]",
        ),
        click.option(
            "--require-health",
            is_flag=True,
            envvar="BACKOUT_REQUIRE_HEALTH",
            help="Refuse if the service's health cannot be asked; exit 5 if the answer is lost "
            "later.",
        ),
    )
