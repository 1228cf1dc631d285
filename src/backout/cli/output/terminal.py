"""Lines in colour, where stdout is a terminal, or colours are forced."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from backout.cli.output.colour import is_forced

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = {"", "dumb", "unknown"}
_WEIGHTS = frozenset({"bold", "dim"})


def printer() -> Callable[[str, str, bool], None]:
    """Return a function that prints a line in a style.

    Nothing of the line is interpreted, and it is not wrapped: the terminal does that, and a long
    name can still be copied. NO_COLOR and TERM=dumb mean no escape sequence at all, not even for
    bold.
    """

    def put(line: str, style: str, to_stderr: bool) -> None:  # noqa: FBT001
        stream = sys.stderr if to_stderr else sys.stdout
        if style and _takes_colours(stream):
            line = _styled(line, style)
        # A terminal that was closed stops nothing: a rollback half done is worse.
        with suppress(OSError):
            stream.write(line + "\n")
            stream.flush()

    return put


def _styled(line: str, style: str) -> str:
    """Return a line in a style: `bold`, `dim`, a colour, or several of them."""
    said = {*style.split()}
    colour = next(iter(said - _WEIGHTS), None)
    return click.style(line, fg=colour, bold="bold" in said or None, dim="dim" in said or None)


def _takes_colours(stream: Any) -> bool:
    if is_forced(os.environ):
        return True
    no_color = os.environ.get("NO_COLOR", "")
    return not no_color and os.environ.get("TERM", "") not in _PLAIN and stream.isatty()
