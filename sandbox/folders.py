"""Where things lie: one state folder a machine, one cache of binaries a user."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.errors import SandboxError

SOURCES = Path(__file__).resolve().parent
STATE_VARIABLE = "BACKOUT_SANDBOX_STATE"
CACHE_VARIABLE = "BACKOUT_SANDBOX_CACHE"
MARKER = ".backout-sandbox"


def state_folder() -> Path:
    """Return the machine-wide folder: every checkout sees the same sandbox."""
    return Path(os.environ.get(STATE_VARIABLE) or "/var/lib/backout-sandbox").absolute()


def claim(state: Path) -> None:
    """Mark the state folder as ours; a folder with anything else in it is never emptied."""
    marker = state / MARKER
    if not marker.exists() and any(state.iterdir()):
        raise SandboxError(
            f"{state} is not empty and not a sandbox's: choose another {STATE_VARIABLE}."
        )
    marker.touch()


def cache_folder() -> Path:
    """Return where built binaries outlive the sandbox."""
    default = Path.home() / ".cache" / "backout-sandbox"
    return Path(os.environ.get(CACHE_VARIABLE) or default).absolute()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; it never exists with wider rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def replace_text(path: Path, text: str) -> None:
    """Write a private file at once: a reader sees the old text or the new one."""
    draft = path.with_name(path.name + ".new")
    write_private(draft, text)
    draft.replace(path)
