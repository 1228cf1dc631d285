"""Ctrl-C, SIGTERM, a closed terminal: the first winds the run down, the second ends it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TWICE = b"interrupted twice: the record may be left open; the next backout undo settles it\n"


class Interruption:
    """Which signal came, if any.

    Handlers of the process, not of the event loop: they stand before the loop and after it, when a
    signal must neither kill without a word nor turn a known outcome round.
    """

    def __init__(self, twice: bytes = _TWICE) -> None:
        self._twice = twice
        self._before: list[tuple[signal.Signals, Any]] = []
        self.received: signal.Signals | None = None
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over = False

    def watch(self) -> None:
        """Cancel the current task at the first signal, and end the process at the second."""
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        for one in SIGNALS:
            if signal.getsignal(one) is not signal.SIG_IGN:  # nohup
                self._before.append((one, signal.signal(one, self._on_signal)))

    def over(self) -> None:
        """From now on the outcome is known: a signal changes nothing."""
        self._is_over = True

    def forget(self) -> None:
        """Put back who listened before."""
        while self._before:
            signal.signal(*self._before.pop())

    def _on_signal(self, received: int, _frame: FrameType | None) -> None:
        if self._is_over:
            return
        if self.received is not None:
            os.write(2, self._twice)
            os._exit(128 + received)
        self.received = signal.Signals(received)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None and not self._is_over:
            self._task.cancel()
