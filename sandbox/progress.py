"""Progress for people, on stderr: a line a step, with its duration."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT_SECONDS = 30.0
CLEAR_LINE = "\r\x1b[K"


def say(text: str) -> None:
    """Write one line."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what was done and how long it took, once it is done."""
    start = time.monotonic()
    yield
    say(f"  {title:<58} {time.monotonic() - start:6.1f} s")


@contextmanager
def long_step(title: str) -> Iterator[None]:
    """Tell the time while something takes minutes: live on a terminal, else now and then."""
    start = time.monotonic()
    finished = threading.Event()
    live = sys.stderr.isatty()
    ticker = threading.Thread(
        target=_tick, args=(title, start, finished), kwargs={"live": live}, daemon=True
    )
    if not live:
        say(f"  {title} ...")
    ticker.start()
    try:
        yield
    finally:
        finished.set()
        ticker.join()
        if live:
            sys.stderr.write(CLEAR_LINE)
    say(f"  {title:<58} {time.monotonic() - start:6.1f} s")


def _tick(title: str, start: float, finished: threading.Event, *, live: bool) -> None:
    while not finished.wait(1.0 if live else REPORT_SECONDS):
        elapsed = int(time.monotonic() - start)
        text = f"  {title}: {elapsed // 60} min {elapsed % 60:02d} s"
        sys.stderr.write(f"{CLEAR_LINE}{text}" if live else f"{text}\n")
        sys.stderr.flush()
