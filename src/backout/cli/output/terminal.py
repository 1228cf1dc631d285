"""Lines in colour, by rich; imported only where stdout is a terminal, or colours are forced."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from rich.style import Style

from backout.cli.output.colour import is_forced

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = {"", "dumb", "unknown"}


def printer() -> Callable[[str, str, bool], None]:
    """Return a function that prints a line in a style.

    Nothing of the line is interpreted, and it is not wrapped: the terminal does that, and a long
    name can still be copied. NO_COLOR and TERM=dumb mean no escape sequence at all, not even for
    bold.
    """

    def put(line: str, style: str, to_stderr: bool) -> None:  # noqa: FBT001
        stream = sys.stderr if to_stderr else sys.stdout
        if style and _takes_colours(stream):
            line = Style.parse(style).render(line, color_system=ColorSystem.STANDARD)
        # A terminal that was closed stops nothing: a rollback half done is worse.
        with suppress(OSError):
            stream.write(line + "\n")
            stream.flush()

    return put


def _takes_colours(stream: Any) -> bool:
    if is_forced(os.environ):
        return True
    no_color = os.environ.get("NO_COLOR", "")
    return not no_color and os.environ.get("TERM", "") not in _PLAIN and stream.isatty()
