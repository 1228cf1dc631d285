"""The user's home folder."""

from __future__ import annotations

from pathlib import Path


def home() -> Path | None:
    """Return it; None for a number without an account, and no HOME."""
    try:
        return Path.home()
    except RuntimeError:
        return None
