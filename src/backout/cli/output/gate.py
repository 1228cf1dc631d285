"""The gate of this process: one mask, which learns each secret that a run meets."""

from __future__ import annotations

from backout.core.mask import Mask
from backout.core.text import untrusted

MASK = Mask()


def shown(text: str, cap: int = 256) -> str:
    """Return a text as it may be shown: without secrets, and nothing in it acts."""
    return untrusted(MASK.text(text), cap)
