"""The pages of docs/checks and docs/failures, as the wheel carries them."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import click

_ID = re.compile(r"[A-Z][A-Z0-9_]{2,30}")
_FOLDERS = ("checks", "failures")


def page(one: str) -> str:
    """Return the page of a check id or a failure class; a usage error where there is none."""
    name = one.strip().upper()
    for folder in _FOLDERS:
        file = _docs() / folder / f"{name}.md"
        if _ID.fullmatch(name) and file.is_file():
            return file.read_text(encoding="utf-8")
    raise click.UsageError(f"there is no check or failure class {one[:30]!r}; see docs/checks")


def _docs() -> Path:
    """Return where the pages lie: in the package, or beside the sources."""
    package = Path(str(resources.files("backout")))
    packed = package / "docs"
    return packed if packed.is_dir() else package.parents[1] / "docs"
