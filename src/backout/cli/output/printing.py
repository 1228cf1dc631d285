"""How lines leave: printed at once, in colour where wanted, or as JSON.

It loads nothing of events: who only looks tells none.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from backout.cli.output import colour, terminal
from backout.cli.output.gate import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.kube.client import RequestLine

LONGEST = 2000
"""Characters of one line; a cluster's text may be endless."""


def json_line(value: Any) -> str:
    """Return a value as JSON, ASCII only; `##`, which CI runners look for anywhere, is escaped."""
    return json.dumps(value, ensure_ascii=True, default=str).replace("##", "#\\u0023")


def write(stream: Any, line: str, *, end: str = "\n") -> None:
    """Print a line at once: a pipe's reader wants to see it when it happens.

    A reader that went away, or a full disk, stops nothing: a rollback half done is worse than a
    line unread.
    """
    with contextlib.suppress(OSError):
        stream.write(line + end)
        stream.flush()


def printer() -> Callable[[str, str, bool], None]:
    """Return how lines are printed: in colour where colours are wanted."""
    if sys.stdout.isatty() or colour.is_forced(os.environ):
        return terminal.printer()
    return lambda line, _style, to_stderr: write(sys.stderr if to_stderr else sys.stdout, line)


def request_line(line: RequestLine) -> str:
    """Return one request in words, as `-v` shows it; never a body."""
    status = line.status if line.status is not None else "no answer"
    return shown(
        f"{line.method} {line.path} {status} {line.milliseconds:.0f} ms {line.audit_id}", LONGEST
    )
