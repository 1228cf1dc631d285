"""Pipes that tell whether a process still lives: whoever writes keeps them open."""

from __future__ import annotations

import os
import select

WITHIN = 10.0


def nobody_writes(end: int) -> bool:
    """Tell whether every writer has gone, or does so soon."""
    while True:
        try:
            if not os.read(end, 2):
                return True
        except BlockingIOError:
            if not select.select([end], [], [], WITHIN)[0]:
                return False
