"""The command as it was understood, in words to be pasted: never argv.

A secret is never among them: an option whose value must not be told is named by its variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click import Option, get_current_context
from click.core import ParameterSource

from backout.cli.options.durations import Duration
from backout.cli.output.gate import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

_RESOLVED = frozenset({"filename"})
"""Options that are told by what they came down to: the workload stands there by its name."""
_DROPPED = _RESOLVED | frozenset(
    {
        "yes",
        "verbose",
        "quiet",
        "color",
        "output",
        "trace_id",
        "every",
        "all_namespaces",
        "selector",
        "explain",
    }
)
"""What does not matter to whoever goes on: the yes is theirs, and how it is told."""
_SECRET = frozenset({"notify"})
"""Options whose value is a secret, whatever it looks like."""
_NEVER = frozenset({"token"})
"""Secrets that we read from no variable: the shell fills in the one that the line names."""


def whole(ctx: click.Context) -> tuple[str, ...]:
    """Return the words of the command with all that it was given, for the record."""
    given = ctx.params.get("workload") or ctx.params.get("words") or ()
    return _ordered(ctx, tuple(given), ctx.info_name or "")


def undoing(workload: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of the undo that a failure calls for, as this command was connected."""
    return words(get_current_context(), workload, "undo")


def words(ctx: click.Context, workload: tuple[str, ...], command: str) -> tuple[str, ...]:
    """Return the words of `command` about this workload, for whoever goes on with it."""
    return _ordered(ctx, workload, command, without=_DROPPED)


def _ordered(
    ctx: click.Context,
    workload: tuple[str, ...],
    command: str,
    *,
    without: frozenset[str] = _RESOLVED,
) -> tuple[str, ...]:
    options = [word for one in _given(ctx, without) for word in one]
    # What looks like an option stands behind `--`.
    behind = any(word.startswith("-") for word in workload)
    about = ("--", *workload) if behind else ()
    return (command, *(() if behind else workload), *options, *about)


def _given(ctx: click.Context, without: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Give the words of each option of the command line; after the command outranks before it."""
    here = {p.name for p in _options(ctx, without)}
    before = [] if ctx.parent is None else _options(ctx.parent, without)
    for around, option in (
        *((ctx.parent, p) for p in before if p.name not in here),
        *((ctx, p) for p in _options(ctx, without)),
    ):
        if around is not None:
            yield from _words(option, around.params.get(str(option.name)))


def _options(ctx: click.Context, without: frozenset[str]) -> list[Option]:
    """Return the options that the command line gave, in the order of the help."""
    return [
        p
        for p in ctx.command.params
        if isinstance(p, Option)
        and p.name not in without
        and ctx.get_parameter_source(str(p.name)) is ParameterSource.COMMANDLINE
    ]


def _words(option: Option, value: Any) -> Iterator[tuple[str, ...]]:
    name = next((n for n in option.opts if n.startswith("--")), option.opts[0])
    short = next((n for n in option.opts if n == "-n"), name)
    for one in value if option.multiple else (value,):
        if option.is_flag:
            yield (name if one else option.secondary_opts[0],)
        else:
            yield (short, _told(option, one))


def _told(option: Option, value: Any) -> str:
    text = f"{value:g}s" if isinstance(option.type, Duration) else str(value)
    if option.name in _NEVER:
        return f"$BACKOUT_{option.name.upper()}"
    if option.name not in _SECRET and MASK.text(text) == text:
        return text
    return f"${option.envvar}" if isinstance(option.envvar, str) else MASK.text(text)
