"""Which renderer `-o` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.output.printing import printer
from backout.cli.output.render import JsonLines
from backout.cli.output.standing import Page
from backout.cli.output.words.quiet import Quiet
from backout.cli.output.words.text import Text

if TYPE_CHECKING:
    from backout.cli.output.render import Renderer


def renderer(output: str, *, quiet: bool = False, finds: bool = False) -> Renderer:
    """Return the renderer for `-o`: text, json or html; `quiet` and `finds` are of text alone.

    `finds`: what is found is the result, and belongs on stdout.
    """
    if output == "html":
        return Page(Text(printer()))
    if output == "json":
        return JsonLines()
    if quiet:
        return Quiet(printer(), finds=finds)
    return Text(printer(), finds=finds)
