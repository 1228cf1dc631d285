"""The policy files: the user's own, and a `backout.toml` of the working directory that tightens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from backout.cli.options import project_file, toml_file
from backout.cli.options.home import home
from backout.cli.options.said import Said
from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


NONE = os.devnull
"""`--policy /dev/null`: without the user's own."""
_REMEDY = "correct it, or name another with --policy (docs/policy.md lists the keys)"


def load(named: str | None, ctx: click.Context) -> Said:
    """Return what the policy files say; `named` is the file that the user named, if any.

    Raises ConfigError where one cannot be used.
    """
    own = Path(named) if named is not None else _default_path(os.environ)
    content = {} if named == NONE or own is None else toml_file.read(own, remedy=_REMEDY)
    if content is None and named is not None:
        raise ConfigError(f"there is no policy file {untrusted(named)}", remedy=_REMEDY)
    project = project_file.nearest(own)
    said = Said(ignored=project.ignored)
    if not content and project.path is None:
        return said
    # All checks, for what a file accepts: not where there is none.
    from backout.cli.options import policy_values  # noqa: PLC0415

    if content and own is not None:
        policy_values.take(said, own, content, ctx, remedy=_REMEDY)
    if project.path is not None:
        remedy = project_file.REMEDY
        policy_values.tighten(said, project.path, project.content or {}, ctx, remedy=remedy)
    return said


def _default_path(environ: Mapping[str, str]) -> Path | None:
    base = environ.get("XDG_CONFIG_HOME", "")
    if base.startswith("/"):
        return Path(base) / "backout" / "policy.toml"
    folder = home()
    return folder / ".config" / "backout" / "policy.toml" if folder is not None else None
