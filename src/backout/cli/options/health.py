"""What the options on health come down to: what is asked, and what a good answer is.

What is asked is the user's to say, by flag, environment or policy: never an annotation's, never a
cloned repository's.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from backout.core.health.expectation import Expected, json_field, statuses
from backout.session.headers import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT, SOAK = 60.0, 5.0
_URL = re.compile(r"https?://[^\s/@?#]+([/?]\S*)?")
_PATH = re.compile(r"([A-Za-z0-9-]{1,15})?/\S*")


def wanted(values: dict[str, Any]) -> dict[str, Any]:
    """Return the policy's fields on health; a usage error where the options contradict."""
    asked = tuple(filter(None, (one.strip() for one in values["health"])))
    check_asked(asked)
    expected, method = _expected(values), values["health_method"]
    urls = [one for one in asked if "://" in one]
    _check(values, urls, has_paths=len(urls) < len(asked))
    if method == "HEAD" and expected.needs_body:
        raise click.UsageError("--health-method HEAD has no body that could be as expected")
    return {
        "health": asked,
        "expected": expected,
        "health_method": method,
        "health_command": values["health_command"].strip(),
    }


def check_asked(asked: Iterable[str]) -> None:
    """Refuse what is nothing to ask."""
    for one in asked:
        if not _URL.fullmatch(one) and not _PATH.fullmatch(one):
            raise click.UsageError(
                "--health takes an http(s) URL without credentials, a /path, or PORT/path"
            )


def spans(values: dict[str, Any]) -> dict[str, Any]:
    """Return the limits on health: how long it is asked for, and must hold, in seconds.

    One answer spans nothing: where one is enough, only --soak makes it wait.
    """
    if "health_successes" not in values:
        return {}
    successes, soak = values["health_successes"], values["soak"]
    command = values["health_command_timeout"]
    is_slow = bool(values["health_command"].strip())
    most = values["health_timeout"]
    if most is None:
        most = TIMEOUT + (soak or 0.0) + (successes * command if is_slow else 0.0)
    held = soak if soak is not None else min(SOAK, most / 2) if successes > 1 else 0.0
    if held >= most:
        raise click.UsageError("--soak must be shorter than --health-timeout")
    return {"health": most, "health_soak": held, "health_command": command}


def _expected(values: dict[str, Any]) -> Expected:
    try:
        return Expected(
            statuses=statuses(values["health_status"] or "2xx"),
            text=values["health_text"],
            fields=tuple(json_field(one) for one in values["health_json"]),
        )
    except ValueError as error:
        raise click.UsageError(f"--health-status or --health-json: {error}") from None


def _check(values: dict[str, Any], urls: list[str], *, has_paths: bool) -> None:
    """Refuse what could not be obeyed, or would send a secret to more than one host."""
    if values["health_method"] != "GET" and (has_paths or not urls):
        raise click.UsageError(
            "--health-method is for URLs: through the API server only GET is asked"
        )
    if values["health_header_file"] and not urls:
        raise click.UsageError("--health-header-file is for URLs: name one with --health")
    if values["health_ca"] and not any(url.startswith("https://") for url in urls):
        raise click.UsageError("--health-ca is for https URLs: name one with --health")
    hosts = {urlsplit(url).hostname for url in urls}
    if len(hosts) > 1 and (values["health_header_file"] or os.environ.get(HEADER)):
        raise click.UsageError(
            f"headers ({HEADER} or --health-header-file) go to one host only: name URLs of one"
        )
