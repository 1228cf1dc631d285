"""Headers for the user's own --health URLs: they may be secret, and are never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.session import small_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEADER = "BACKOUT_HEALTH_HEADER"
"""The environment variable that holds headers: argv is everybody's to read."""
_LINE = re.compile(
    r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[\x21-\x7e][\t\x20-\x7e]*)"
)
_OURS = {"content-length", "transfer-encoding", "connection", "expect", "accept-encoding"}
"""Headers that say how a message is sent, not what is asked."""


def headers(file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for --health URLs: the environment's, then the file's.

    Raises ConfigError, which never shows a value.
    """
    text = environment.get(HEADER, "")
    found = _headers(text, HEADER)
    if file is not None:
        shown = untrusted(str(file))
        remedy = "give --health-header-file a text file with lines `Name: value`"
        content = small_file.read(file, "header", remedy=remedy)
        found |= _headers(content.decode(errors="replace"), shown)
    return found


def _headers(text: str, source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match["name"].lower() in _OURS:
            raise ConfigError(
                f"line {number} of {source} is no header that can be sent",
                remedy="write one `Name: value` a line, in ASCII",
            )
        found[match["name"]] = match["value"]
    return found
