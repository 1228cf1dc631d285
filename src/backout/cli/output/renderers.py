"""Which renderer `-o` means; what only one of them needs is imported for it alone."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from backout.cli.output import colour
from backout.cli.output.render import JsonLines, write
from backout.cli.output.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.cli.output.render import Renderer


def renderer(output: str, *, quiet: bool = False) -> Renderer:
    """Return the renderer for `-o`: text, json or html; `quiet` is of text alone."""
    if output == "html":
        from backout.cli.output.standing import Page  # noqa: PLC0415 (only for that)

        return Page(Text(printer()))
    if output == "json":
        return JsonLines()
    if quiet:
        from backout.cli.output.quiet import Quiet  # noqa: PLC0415 (only for that)

        return Quiet(printer())
    return Text(printer())


def printer() -> Callable[[str, str, bool], None]:
    """Return how lines are printed: in colour by rich, imported only where colours are wanted."""
    if sys.stdout.isatty() or colour.is_forced(os.environ):
        from backout.cli.output import terminal  # noqa: PLC0415

        return terminal.printer()
    return lambda line, _style, to_stderr: write(sys.stderr if to_stderr else sys.stdout, line)
