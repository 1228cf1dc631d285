"""How a line for people is laid out: a short label, words wrapped beside it, commands whole."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from backout.cli.output.columns import hung
from backout.cli.output.printing import LONGEST
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = 2 * 1024 * 1024
"""Characters of a line that is to be run: cut, it would be another command."""
LABEL = 8
"""Characters of a label's column."""
_PASTED = re.compile(r"^(.*): ((?:backout|kubectl|helm|flux|argocd|oc) .*)$")


class Shown(NamedTuple):
    """A line in a style. `label` stands before it; an empty one means below the label before.

    `whole` keeps it as it is: a line that is to be pasted, or somebody's own. `prose` holds no line
    to be pasted, whatever it looks like. `indent` is of those without a label.
    """

    text: str
    style: str = ""
    label: str | None = None
    indent: int = 0
    whole: bool = False
    prose: bool = False
    longest: int = LONGEST


def facts(text: str, style: str, label: str) -> list[Shown]:
    """Return a sentence of several facts as a line each, the label before the first."""
    first, *rest = text.split("; ")
    return [Shown(first, style, label), *(Shown(one, style, "") for one in rest)]


def laid_out(shown: Shown, width: int | None) -> Iterator[str]:
    """Yield a line as it is printed, wrapped at words to a width; None: as it is."""
    start = " " * shown.indent if shown.label is None else f"  {shown.label:<{LABEL}} "
    text = untrusted(shown.text, shown.longest)
    if width is None or shown.whole or len(start + text) < width:
        yield untrusted(start + text, shown.longest + len(start))
        return
    pasted = None if shown.prose else _PASTED.match(text)
    # What has no label of its own would look like two lines.
    more = "  " if shown.label is None else ""
    lines = hung(start, f"{pasted[1]}:" if pasted else text, width, more=more)
    yield from (untrusted(line, shown.longest) for line in lines)
    if pasted:
        # Broken in two it could not be pasted: the terminal wraps it.
        yield untrusted(f"{' ' * len(start)}    {pasted[2]}", shown.longest)


class Signs(NamedTuple):
    """What stands before a result, and before other people's lines."""

    good: str
    bad: str
    doubt: str
    bar: str


_DRAWN = Signs(good="✓ ", bad="✗ ", doubt="! ", bar="│")
_WORDS = Signs(good="", bad="ERROR: ", doubt="! ", bar="|")


def signs() -> Signs:
    """Return signs that both streams can encode: words where one cannot."""
    for stream in (sys.stdout, sys.stderr):
        try:
            "".join(_DRAWN).encode(getattr(stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return _WORDS
    return _DRAWN
