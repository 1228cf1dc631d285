"""Usage errors in the user's words: what was typed or set, where, and what it takes."""

from __future__ import annotations

import os
import re

import click
from click.core import ParameterSource

_NEAR = 3
"""Options that are named at most where one does not exist."""
_EXTRA = re.compile(r"Got unexpected extra arguments? \((.*)\)")


def in_words(error: click.UsageError, ctx: click.Context) -> click.UsageError:
    """Return the error as a sentence about what was typed; what says enough is left as it is."""
    if isinstance(error, click.BadParameter):
        return _of_a_value(error, ctx)
    if isinstance(error, click.NoSuchOption):
        return _of_no_option(error, ctx)
    extra = _EXTRA.match(error.message)
    if extra:
        return click.UsageError(f"{ctx.info_name} does not take {extra[1]!r}", error.ctx or ctx)
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in error.message:
        return click.UsageError(f"{error.option_name} takes a value", error.ctx or ctx)
    return error


def _of_no_option(error: click.NoSuchOption, ctx: click.Context) -> click.UsageError:
    """Return the error with the options that may be meant: first those that begin like it."""
    typed = error.option_name
    there = [flag for option in ctx.command.get_params(ctx) for flag in option.opts]
    longer = [flag for flag in there if flag.startswith(typed) and typed.startswith("--")]
    near = list(dict.fromkeys([*longer, *(error.possibilities or ())]))[:_NEAR]
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return click.UsageError(f"there is no option {typed!r}{hint}", error.ctx or ctx)


def _of_a_value(error: click.BadParameter, ctx: click.Context) -> click.UsageError:
    """Return the error as a sentence about the option, with the variable that it came from."""
    option = error.param
    if isinstance(error, click.MissingParameter) and isinstance(option, click.Argument):
        return click.UsageError(f"{option.make_metavar(ctx)} is missing", error.ctx or ctx)
    if not isinstance(option, click.Option):
        return click.UsageError(f"{ctx.info_name} {error.message}", error.ctx or ctx)
    source = ctx.get_parameter_source(str(option.name))
    variable = option.envvar if source is ParameterSource.ENVIRONMENT else None
    why = error.message
    if option.is_flag and isinstance(variable, str):
        why = f"takes true or false; got {os.environ.get(variable, '')[:80]!r}"
    flag = max(option.opts, key=len)
    words = f"{flag} {why}" if why.startswith("takes ") else f"{flag}: {why}"
    origin = f" from {variable}" if isinstance(variable, str) else ""
    return click.UsageError(f"{words.rstrip('.')}{origin}", error.ctx or ctx)
