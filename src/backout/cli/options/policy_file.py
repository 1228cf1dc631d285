"""The policy files: the user's own, and a `backout.toml` of the working directory that tightens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.cli.options import toml_file
from backout.cli.options.said import Said
from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


PROJECT = "backout.toml"
NONE = os.devnull
"""`--policy /dev/null`: without the user's own."""
_REMEDY = "correct it, or name another with --policy (docs/policy.md lists the keys)"
_PROJECT_REMEDY = "correct or remove it, or run the command from another folder"


def load(named: str | None, ctx: click.Context) -> Said:
    """Return what the policy files say; `named` is the file that the user named, if any.

    Raises ConfigError where one cannot be used.
    """
    said = Said()
    own = Path(named) if named is not None else _default_path(os.environ)
    content = {} if named == NONE or own is None else toml_file.read(own, remedy=_REMEDY)
    if content is None and named is not None:
        raise ConfigError(f"there is no policy file {untrusted(named)}", remedy=_REMEDY)
    project = _project()
    if project is not None and _is_same(project[0], own):
        project = None
    if not content and project is None:
        return said
    # All checks, for what a file accepts: not where there is none.
    from backout.cli.options import policy_values  # noqa: PLC0415

    if content and own is not None:
        policy_values.take(said, own, content, ctx, remedy=_REMEDY)
    if project is not None:
        policy_values.tighten(said, *project, ctx, remedy=_PROJECT_REMEDY)
    return said


def _default_path(environ: Mapping[str, str]) -> Path | None:
    base = environ.get("XDG_CONFIG_HOME", "")
    home = _home()
    folder = Path(base) if base.startswith("/") else home / ".config" if home is not None else None
    return folder / "backout" / "policy.toml" if folder is not None else None


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a number without an account, and no HOME
        return None


def _project() -> tuple[Path, dict[str, Any]] | None:
    """Return the nearest `backout.toml` from here upwards, no further than the home folder."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted
        return None
    home = _home()
    for folder in (here, *here.parents):
        content = toml_file.read(folder / PROJECT, remedy=_PROJECT_REMEDY)
        if content is not None:
            return folder / PROJECT, content
        if folder == home:
            break
    return None


def _is_same(project: Path, own: Path | None) -> bool:
    """Tell whether the user named the very file by `--policy`: then it is the user's own."""
    try:
        return own is not None and own.samefile(project)
    except OSError:
        return False
