"""What the options on health come down to: what is asked, and what a good answer is.

What is asked is the user's to say, by flag, environment or policy: never an annotation's, never a
cloned repository's.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from msgspec.structs import replace

from backout.core.health.expectation import Expected, json_field, statuses
from backout.session.headers import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.cli.options.groups.health import HealthOptions
    from backout.core.preflight.request import Request

_URL = re.compile(r"https?://[^\s/@?#]+([/?]\S*)?")
_PATH = re.compile(r"([A-Za-z0-9-]{1,15})?/\S*")


def asked(request: Request, health: HealthOptions) -> Request:
    """Return the request with what is asked for health; a usage error where options contradict."""
    named = tuple(filter(None, (one.strip() for one in health.health)))
    check_asked(named)
    expected = _expected(health)
    urls = [one for one in named if "://" in one]
    _check(health, urls, has_paths=len(urls) < len(named))
    if health.health_method == "HEAD" and expected.needs_body:
        raise click.UsageError("--health-method HEAD has no body that could be as expected")
    return replace(
        request,
        health=named,
        expected=expected,
        health_method=health.health_method,
        health_command=health.health_command.strip(),
        successes=health.health_successes,
        require_health=health.require_health,
    )


def check_asked(named: Iterable[str]) -> None:
    """Refuse what is nothing to ask."""
    for one in named:
        if not _URL.fullmatch(one) and not _PATH.fullmatch(one):
            raise click.UsageError(
                "--health takes an http(s) URL without credentials, a /path, or PORT/path"
            )


def _expected(health: HealthOptions) -> Expected:
    try:
        return Expected(
            statuses=statuses(health.health_status or "2xx"),
            text=health.health_text,
            fields=tuple(json_field(one) for one in health.health_json),
        )
    except ValueError as error:
        raise click.UsageError(f"--health-status or --health-json: {error}") from None


def _check(health: HealthOptions, urls: list[str], *, has_paths: bool) -> None:
    """Refuse what could not be obeyed, or would send a secret to more than one host."""
    if health.health_method != "GET" and (has_paths or not urls):
        raise click.UsageError(
            "--health-method is for URLs: through the API server only GET is asked"
        )
    if health.health_header_file and not urls:
        raise click.UsageError("--health-header-file is for URLs: name one with --health")
    if health.health_ca and not any(url.startswith("https://") for url in urls):
        raise click.UsageError("--health-ca is for https URLs: name one with --health")
    hosts = {urlsplit(url).hostname for url in urls}
    if len(hosts) > 1 and (health.health_header_file or os.environ.get(HEADER)):
        raise click.UsageError(
            f"headers ({HEADER} or --health-header-file) go to one host only: name URLs of one"
        )
