"""The nearest `backout.toml` from the working directory upwards, never one that a stranger left.

In a folder that everybody may write to, anybody can put a file. Heeded is what belongs to the user,
to root, or to the owner of the working directory (a checkout of somebody else's that the user chose
to work in, as root or in a container), and what not everybody may change.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from msgspec import Struct

from backout.cli.options import toml_file
from backout.cli.options.home import home

NAME = "backout.toml"
REMEDY = "correct or remove it, or run the command from another folder"


class Project(Struct, frozen=True, kw_only=True):
    """What the nearest file says, if there is one. `ignored` are the nearer ones, each with why."""

    path: Path | None = None
    content: dict[str, Any] | None = None
    ignored: tuple[str, ...] = ()


def nearest(own: Path | None) -> Project:
    """Return the nearest file that is heeded, no further up than the home folder.

    The search ends without a word at `own`, which the user named: it is read as the user's own.
    Raises ConfigError where a heeded file cannot be used.
    """
    try:
        here = Path.cwd()
        trusted = {os.geteuid(), 0, here.stat().st_uid}
    except OSError:  # the folder was deleted
        return Project()
    ignored: list[str] = []
    last = home()
    for folder in (here, *here.parents):
        path = folder / NAME
        if _is_same(path, own):
            break
        try:
            content = _heeded(path, trusted)
        except toml_file.DistrustedError as error:
            ignored.append(f"policy {path} is ignored: {error}")
            content = None
        if content is not None:
            return Project(path=path, content=content, ignored=tuple(ignored))
        if folder == last:
            break
    return Project(ignored=tuple(ignored))


def _heeded(path: Path, trusted: set[int]) -> dict[str, Any] | None:
    """Return the content; a stranger's file is not opened, whatever it is or leads to."""

    def why_not(status: os.stat_result) -> str:
        return distrust(status, trusted)

    try:
        why = why_not(path.lstat())
    except OSError:
        why = ""  # reading it says what is wrong
    if why:
        raise toml_file.DistrustedError(why)
    return toml_file.read(path, remedy=REMEDY, why_not=why_not)


def distrust(status: os.stat_result, trusted: set[int]) -> str:
    """Return why a file is not heeded; empty where it is."""
    if status.st_uid not in trusted:
        return (
            f"it belongs to user {status.st_uid}, "
            "who is neither you nor root nor the owner of the working directory"
        )
    if status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode):
        return "every user of this machine can change it (chmod o-w)"
    return ""


def _is_same(project: Path, own: Path | None) -> bool:
    """Tell whether the user named the very file by `--policy`: then it is the user's own."""
    try:
        return own is not None and own.samefile(project)
    except OSError:
        return False
