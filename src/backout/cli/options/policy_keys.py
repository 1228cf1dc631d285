"""What may stand in a policy file: every option that has a `BACKOUT_*` variable, by that name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.types import FloatParamType, IntParamType

from backout.cli.options.durations import Duration
from backout.core import neighbours

PREFIX = "BACKOUT_"
ACCEPT = "accept"
POLICY = "policy"
TIGHTER = {
    "strict": max,
    "require_health": max,
    "require_proof": max,
    "rollback_limit": min,
    "rollback_window": max,
    "health_successes": max,
}
"""What a `backout.toml` of a working directory may say, and which of two values is the tighter."""


def key(option: click.Parameter) -> str:
    """Return an option's key in a policy file; empty where it has none."""
    name = option.envvar if isinstance(option.envvar, str) else ""
    plain = name.removeprefix(PREFIX).lower() if name.startswith(PREFIX) else ""
    return "" if plain == POLICY else plain


def options(ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of all commands by their keys."""
    root = ctx.find_root().command
    commands = [root]
    if isinstance(root, click.Group):
        found = (root.get_command(ctx, name) for name in root.list_commands(ctx))
        commands = [c for c in found if c is not None]
    every = (p for c in commands for p in c.params if isinstance(p, click.Option))
    return {key(p): p for p in every if key(p)}


def type_of(option: click.Option) -> str:
    """Return in words what a value of this option is in TOML."""
    if option.is_flag:
        return "true or false"
    if option.multiple:
        return "a list of strings"
    if isinstance(option.type, IntParamType):
        return "a whole number"
    if isinstance(option.type, FloatParamType):
        return "a number"
    if isinstance(option.type, Duration):
        return 'a time span such as "30s" or "5m"'
    if isinstance(option.type, click.Choice):
        return " or ".join(f'"{c}"' for c in option.type.choices)
    return "a file" if option.metavar == "FILE" else "a string"


def value_of(option: click.Option, value: Any, ctx: click.Context, folder: Path) -> Any:
    """Return a TOML value as the command line would give it; raise ValueError where it is none.

    A relative file is one of the policy file's folder.
    """
    if not _fits(option, value):
        raise ValueError(f"takes {type_of(option)}")
    if option.metavar == "FILE":
        try:
            value = str(folder / Path(value).expanduser())
        except RuntimeError:
            raise ValueError("there is no such home folder") from None
    try:
        return option.type_cast_value(ctx, value)
    except click.UsageError as error:
        raise ValueError(error.message) from None


def _fits(option: click.Option, value: Any) -> bool:
    if option.is_flag:
        return isinstance(value, bool)
    if option.multiple:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    if isinstance(value, bool):
        return False
    if isinstance(option.type, IntParamType):
        return isinstance(value, int)
    if isinstance(option.type, FloatParamType):
        return isinstance(value, int | float)
    return isinstance(value, str)


def nearest(word: str, known: list[str]) -> str:
    """Return `; did you mean …?` for a key that does not exist, empty where nothing is near."""
    found = neighbours.nearest(word.lower().replace("-", "_"), known)
    return f": did you mean `{found}`?" if found else ""
