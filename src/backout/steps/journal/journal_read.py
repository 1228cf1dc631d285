"""Reads a journal that others may be writing to; changes nothing, and waits for nobody."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from backout.core.errors import ConfigError
from backout.core.report import runs
from backout.core.report.runs import Lines
from backout.steps.journal.folder import state_folder
from backout.steps.journal.journal import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST = 64 * 1024 * 1024
"""Bytes from its end that are read: years of rollbacks."""


def read(path: Path) -> Lines:
    """Return the lines of a journal; raise ConfigError where it cannot be read."""
    try:
        content, is_cut = _content(path)
    except OSError as error:
        raise ConfigError(
            f"the journal {path} cannot be read: {error.strerror or error}",
            remedy="name another: --journal FILE",
        ) from None
    found = runs.parse(content)
    if not is_cut:
        return found
    gap = f"only the last {MOST // 1024 // 1024} MiB of the journal were read"
    return Lines(lines=found.lines, gaps=(gap, *found.gaps))


def default_path(environ: Mapping[str, str], home: Path, temporary: Path) -> Path:
    """Return where the usual journal lies, or would lie; its place of refuge only if it is ours."""
    usual = state_folder(environ, home) / NAME
    refuge = temporary / f"backout-{os.getuid()}" / NAME
    if not usual.exists() and _is_ours(refuge):
        return refuge
    return usual


def _is_ours(path: Path) -> bool:
    try:
        return path.parent.lstat().st_uid == os.getuid() == path.lstat().st_uid
    except OSError:
        return False


def _content(path: Path) -> tuple[bytes, bool]:
    """Return the end of a file, from the start of a line on, and whether more stands before it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        is_cut = status.st_size > MOST
        if is_cut:
            file.seek(status.st_size - MOST)
            file.readline()
        return file.read(MOST), is_cut
