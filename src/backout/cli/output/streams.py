"""Makes stdin, stdout and stderr safe to use: closed ones, narrow encodings, readers that leave.

And tells how wide they are.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Any, NoReturn

_NARROWEST = 20
"""Columns that lines are wrapped to at least, whatever a terminal says that it is."""


def prepare_streams() -> None:
    """Open closed standard streams on the null device; escape what an encoding cannot hold.

    SIGPIPE stays ignored (Python's own choice): a reader that leaves must not end a rollback.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def leave(code: int | None) -> NoReturn:
    """End the process, None as 0; output that nobody reads any more is no error of this run.

    The last word is said: a signal while the interpreter takes itself down changes no exit code.
    (It gives its own handlers back to the system then, but leaves ignored signals ignored.) It is
    not taken down at all: that takes 0.1 s, and waits for every thread that asks a name server.
    """
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a reader that left, a terminal that was closed, a full disk
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except ValueError:  # closed by ourselves: there is nothing left to say
            continue
    os._exit(code or 0)


def width_of(stream: Any) -> int | None:
    """Return how wide the terminal of a stream is; None where it is none."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return None
    return max(columns, _NARROWEST) if columns else None
