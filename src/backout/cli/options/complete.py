"""What completes a word of the command line, light enough for `--help`; `completing` finds it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import click
    from click.shell_completion import CompletionItem

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem] | list[str]]

PATIENCE = 0.8
"""Seconds for all of it; the interpreter's start takes the rest of the second."""


def hush(last_words: bytes = b"") -> None:
    """Say nothing on stderr from now on, and end without an error when time is up.

    Whatever holds us up: a name server, a kubeconfig on a dead disk, a page of a huge cluster.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def give_up(*_: object) -> None:
        os.write(1, last_words)
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)


def _found_by(name: str) -> Complete:
    """Return what completes a word, loaded when it does."""

    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem] | list[str]:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            from backout.cli.options import completing  # noqa: PLC0415 (not for --help)

            found: list[CompletionItem] | list[str] = getattr(completing, name)(ctx, incomplete)
            return found
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return complete


contexts = _found_by("contexts")
namespaces = _found_by("namespaces")
workloads = _found_by("workloads")
revisions = _found_by("revisions")
all_revisions = _found_by("all_revisions")
images = _found_by("images")
