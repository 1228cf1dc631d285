"""The policy files: the user's own, and a `backout.toml` of the working directory that tightens."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.cli.options import policy_keys, toml_file
from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from backout.core.model import Acceptance

PROJECT = "backout.toml"
NONE = os.devnull
"""`--policy /dev/null`: without the user's own."""
_REMEDY = "correct it, or name another with --policy (docs/policy.md lists the keys)"
_PROJECT_REMEDY = "correct or remove it, or run the command from another folder"


@dataclass(kw_only=True)
class Said:
    """What the files say, by key as the command line would give it, and which file said it."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    own: str = ""


def load(named: str | None, ctx: click.Context) -> Said:
    """Return what the policy files say; `named` is the file that the user named, if any.

    Raises ConfigError where one cannot be used.
    """
    said = Said()
    own = Path(named) if named is not None else _default_path(os.environ)
    content = {} if named == NONE or own is None else toml_file.read(own, remedy=_REMEDY)
    if content is None and named is not None:
        raise ConfigError(f"there is no policy file {untrusted(named)}", remedy=_REMEDY)
    if content and own is not None:
        _take(said, own, content, ctx)
    project = _project()
    if project is not None and not _is_same(project[0], own):
        _tighten(said, *project, ctx)
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


def _take(
    said: Said,
    path: Path,
    content: Mapping[str, Any],
    ctx: click.Context,
) -> None:
    known = policy_keys.options(ctx)
    said.own = str(path)
    for name, value in content.items():
        if name == policy_keys.ACCEPT:
            said.accepted = _accepted(path, value)
            continue
        if name not in known:
            hint = policy_keys.nearest(name, [*known, policy_keys.ACCEPT])
            raise _bad(path, f"there is no key `{name}`{hint}", _REMEDY)
        said.values[name] = _value(path, name, value, known, ctx, _REMEDY)
        said.origins[name] = str(path)


def _tighten(
    said: Said,
    path: Path,
    content: Mapping[str, Any],
    ctx: click.Context,
) -> None:
    """Take what is tighter; refuse everything that a cloned repository must not choose."""
    known = policy_keys.options(ctx)
    for name, value in content.items():
        tighter = policy_keys.TIGHTER.get(name)
        if tighter is None or name not in known:
            allowed = ", ".join(policy_keys.TIGHTER)
            words = f"`{name}` may not stand here: it may only tighten ({allowed})"
            raise _bad(path, words, f"{_PROJECT_REMEDY}; your own policy file takes more")
        wanted = _value(path, name, value, known, ctx, _PROJECT_REMEDY)
        default = known[name].get_default(ctx)
        before = said.values.get(name, default)
        is_looser = tighter(wanted, default) != wanted and tighter(wanted, before) != wanted
        if wanted is False or is_looser:
            words = f"`{name}` may only tighten, and this would loosen it"
            raise _bad(path, words, _PROJECT_REMEDY)
        if tighter(wanted, before) != before:
            said.values[name] = wanted
            said.origins[name] = str(path)


def _value(
    path: Path,
    name: str,
    value: Any,
    known: Mapping[str, click.Option],
    ctx: click.Context,
    remedy: str,
) -> Any:
    try:
        return policy_keys.value_of(known[name], value, ctx, path.absolute().parent)
    except ValueError as error:
        raise _bad(path, f"`{name}` {_clause(str(error))}", remedy) from None


def _clause(why: str) -> str:
    return why if why.startswith("takes ") else f"cannot be used: {why.rstrip('.')}"


def _accepted(path: Path, value: Any) -> tuple[Acceptance, ...]:
    """Return the findings that are gone past by a standing word of the user's."""
    from backout.cli.options.meaning.request import check_acceptance  # noqa: PLC0415 (only where there is one)

    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"id", "reason"}:
            raise _bad(path, "each `[[accept]]` takes an `id` and a `reason`", _REMEDY)
        try:
            found.append(check_acceptance(entry["id"], entry["reason"]))
        except ValueError as error:
            raise _bad(path, f"`accept`: {error}", _REMEDY) from None
    return tuple(found)


def _bad(path: Path, why: str, remedy: str) -> ConfigError:
    return ConfigError(untrusted(f"{path}: {why}", 800), remedy=remedy)
