"""Reads a small file that the user names and that may hold a secret: it is never shown."""

from __future__ import annotations

from pathlib import Path

from backout.core.errors import ConfigError
from backout.core.text import untrusted

SIZE_LIMIT = 64 * 1024


def read(file: Path | str, what: str, *, remedy: str = "") -> bytes:
    """Return the content of the `what` file; raises ConfigError where it cannot be used."""
    shown = untrusted(str(file))
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such path"
        raise ConfigError(f"cannot read the {what} file {shown}: {why}", remedy=remedy) from None
    if len(content) > SIZE_LIMIT:
        message = f"the {what} file {shown} is larger than 64 KiB: not read"
        raise ConfigError(message, remedy=remedy)
    return content
