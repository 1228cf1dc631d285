"""Which of the names that there are is meant by one that there is not."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIKE = 0.6
"""How alike two names must be, from 0 to 1: `shpo` and `shop` are, `web` and `shop` are not."""


def nearest(name: str, names: Sequence[str]) -> str:
    """Return the name that is most like this one; empty where none is near."""
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=ALIKE)), "")
