"""Takes what policy files say: the user's own as it stands, a project's where it is tighter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backout.cli.options import policy_keys
from backout.cli.options.meaning.request import check_acceptance, check_value
from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backout.cli.options.said import Said
    from backout.core.model import Acceptance


def take(
    said: Said, path: Path, content: Mapping[str, Any], ctx: click.Context, *, remedy: str
) -> None:
    """Take all that the user's own file says; raises ConfigError, with this remedy."""
    known = policy_keys.options(ctx)
    said.own = str(path)
    for name, value in content.items():
        if name == policy_keys.ACCEPT:
            said.accepted = _accepted(path, value, remedy)
            continue
        if name not in known:
            hint = policy_keys.nearest(name, [*known, policy_keys.ACCEPT])
            raise _bad(path, f"there is no key `{name}`{hint}", remedy)
        said.values[name] = _value(path, name, value, known, ctx, remedy)
        said.origins[name] = str(path)


def tighten(
    said: Said, path: Path, content: Mapping[str, Any], ctx: click.Context, *, remedy: str
) -> None:
    """Take what is tighter; refuse everything that a cloned repository must not choose."""
    known = policy_keys.options(ctx)
    for name, value in content.items():
        tighter = policy_keys.TIGHTER.get(name)
        if tighter is None or name not in known:
            allowed = ", ".join(policy_keys.TIGHTER)
            words = f"`{name}` is not allowed here: this file may only tighten ({allowed})"
            raise _bad(path, words, f"{remedy}; your own policy file takes more")
        wanted = _value(path, name, value, known, ctx, remedy)
        default = known[name].get_default(ctx)
        before = said.values.get(name, default)
        is_looser = tighter(wanted, default) != wanted and tighter(wanted, before) != wanted
        if wanted is False or is_looser:
            words = f"`{name}` may only tighten, and this would loosen it"
            raise _bad(path, words, remedy)
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
        found = policy_keys.value_of(known[name], value, ctx, path.absolute().parent)
        check_value(name, found)
    except click.UsageError as error:
        raise _bad(path, f"`{name}` {_clause(error.message)}", remedy) from None
    except ValueError as error:
        raise _bad(path, f"`{name}` {_clause(str(error))}", remedy) from None
    return found


def _clause(why: str) -> str:
    return why if why.startswith("takes ") else f"cannot be used: {why.rstrip('.')}"


def _accepted(path: Path, value: Any, remedy: str) -> tuple[Acceptance, ...]:
    """Return the findings that are gone past by a standing word of the user's."""
    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"id", "reason"}:
            raise _bad(path, "each `[[accept]]` takes an `id` and a `reason`", remedy)
        try:
            found.append(check_acceptance(entry["id"], entry["reason"]))
        except ValueError as error:
            raise _bad(path, f"`accept`: {error}", remedy) from None
    return tuple(found)


def _bad(path: Path, why: str, remedy: str) -> ConfigError:
    return ConfigError(untrusted(f"{path}: {why}", 800), remedy=remedy)
