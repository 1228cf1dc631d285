"""One TOML file of the user's, read with suspicion: bounded, regular, never waited for."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE_CAP = 64 * 1024


class DistrustedError(Exception):
    """The file is not to be heeded; says why."""


def _never(_status: os.stat_result) -> str:
    return ""


def read(
    path: Path, *, remedy: str, why_not: Callable[[os.stat_result], str] = _never
) -> dict[str, Any] | None:
    """Return what the file says, None if there is no such file.

    `why_not` says, of the opened file, why it is not to be heeded. Raises DistrustedError where it
    says something, and ConfigError, naming the file, with this remedy for everything else.
    """
    try:
        content = _bytes(path, why_not)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a usable path").lower()
        raise ConfigError(f"cannot read {untrusted(str(path))}: {why}", remedy=remedy) from None
    try:
        if content is None:
            raise ValueError("no regular file")  # noqa: TRY301 (one place says what is wrong)
        if len(content) > FILE_CAP:
            raise ValueError(f"larger than {FILE_CAP // 1024} KiB")  # noqa: TRY301 (the same)
        return tomllib.loads(_text(content))
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        shown = untrusted(f"{path}: {why}", 600)
        raise ConfigError(f"{shown}", remedy=remedy) from None


def _bytes(path: Path, why_not: Callable[[os.stat_result], str]) -> bytes | None:
    """Return the beginning of a regular file, None of anything else; a FIFO is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
        status = os.fstat(descriptor)
        if why := why_not(status):
            raise DistrustedError(why)
        if not stat.S_ISREG(status.st_mode):
            return None
        return file.read(FILE_CAP + 1)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
