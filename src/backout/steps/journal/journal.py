"""The journal: every event of every run, one JSON object a line, on disk before the PATCH leaves.

The file is 0600 and only appended to, one `write` a line. What must survive is flushed to the disk,
and with it all that was written before.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING

from backout.core.errors import ConfigError
from backout.core.events.lines import written
from backout.steps.journal.folder import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from backout.core.events.lines import Line

NAME = "journal.jsonl"
ROOM = 64 * 1024
"""Bytes that one run may need; a default journal without them is no place to write to."""
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EROFS}
"""What fsync answers for a pipe or a terminal, where there is no disk to reach."""


class JournalError(ConfigError):
    """The journal cannot be written: before the PATCH this stops everything."""


class Journal:
    """An open journal. `path` is where it lies; `note` is what must be said about that place."""

    def __init__(self, descriptor: int, path: Path, note: str = "") -> None:
        self._descriptor = descriptor
        self.path = path
        self.note = note

    def write(self, told: Line) -> None:
        """Append an event, and wait for the disk where it must survive.

        Raises JournalError where that fails.
        """
        content = json.dumps(written(told), ensure_ascii=True, default=str).encode() + b"\n"
        try:
            _append(self._descriptor, content)
            if told.event.must_survive:
                _sync(self._descriptor)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def open_explicit(path: Path) -> Journal:
    """Open the journal that the user named; raise JournalError where it cannot be written.

    A file that was there and that others may read is made private, and that is said.
    """
    try:
        descriptor = _opened(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        return Journal(descriptor, path, _made_private(descriptor, path))
    except OSError as error:
        os.close(descriptor)
        raise _unwritable(path, error) from None


def open_default(environ: Mapping[str, str], home: Path, temporary: Callable[[], Path]) -> Journal:
    """Open the journal in the user's state folder, else in a private folder of the temporary one.

    `temporary` is asked where that is only if need be: it tries what can be written. Raises
    JournalError where neither can be.
    """
    folder = state_folder(environ, home)
    try:
        return _in_folder(folder)
    except OSError as error:
        reason = error.strerror or str(error)
    private = temporary() / f"backout-{os.getuid()}"
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        _check_private(private)
        journal = _in_folder(private)
    except OSError as error:
        raise _unwritable(private / NAME, error) from None
    journal.note = f"{folder} cannot be written ({reason}): the journal is {journal.path}"
    return journal


def _in_folder(folder: Path) -> Journal:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    descriptor = _opened(path)
    try:
        _check_room(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return Journal(descriptor, path)


def _check_room(descriptor: int) -> None:
    """Raise OSError on a full disk, which still opens files."""
    volume = os.fstatvfs(descriptor)
    if volume.f_bavail * volume.f_frsize < ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _opened(path: Path) -> int:
    """Open for appending; a FIFO without a reader is an error, not a wait for ever."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    return os.open(path, flags, 0o600)


def _made_private(descriptor: int, path: Path) -> str:
    """Take a file from others that may read it; return what to say. Raise OSError for theirs."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return ""
    if status.st_uid != os.getuid():
        raise OSError(errno.EPERM, "it belongs to somebody else")
    if not status.st_mode & 0o077:
        return ""
    os.fchmod(descriptor, 0o600)
    return f"others could read the journal {path}; now only you can"


def _check_private(folder: Path) -> None:
    """Refuse a folder in the shared temporary one that somebody else could have made."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise OSError(errno.EPERM, f"{folder} is not private to you")


def _append(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"the journal {path} cannot be written: {error.strerror or error}",
        remedy="name another place: --journal PATH",
    )
