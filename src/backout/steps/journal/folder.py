"""Where this machine keeps what backout writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def state_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return the user's state folder for backout (XDG base directories; Apple's on macOS)."""
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "backout"
    base = environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else home / ".local" / "state") / "backout"
