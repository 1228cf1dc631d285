"""`python -m backout`, and where the installed commands begin."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

GARBAGE = (50_000, 20, 20)
"""Python's own 700 objects mean 100 collections while the modules are loaded, and none frees."""


def main() -> None:
    """Run the command line; a signal while it is still being loaded is answered truly, too."""
    gc.set_threshold(*GARBAGE)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:  # nohup
            signal.signal(one, _too_early)
    from backout.cli.main import main as run  # noqa: PLC0415 (the handlers stand first)

    run()


def _too_early(received: int, _frame: FrameType | None) -> None:
    os.write(2, b"ERROR: interrupted: nothing was changed\n")
    os._exit(128 + received)


if __name__ == "__main__":
    main()
