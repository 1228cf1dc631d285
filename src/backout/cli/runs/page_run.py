"""Carries `backout check --explain` out: pages of docs/checks and docs/failures, of the wheel."""

from __future__ import annotations

import re
import sys
from importlib import resources
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

_ID = re.compile(r"[A-Z][A-Z0-9_]{2,30}")
_FOLDERS = ("checks", "failures")


def run(one: str | None) -> int:
    """Show the page of a check or a failure class; without one list them. Return the exit code."""
    if one is None:
        click.echo(_listing(), nl=False)
    else:
        _show(_place(one))
    return 0


def _show(file: Path) -> None:
    """Show a page: rendered on a terminal; elsewhere as it is, and where it lies on stderr."""
    text = file.read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        click.echo(f"page: {file}", err=True)
        return
    Console().print(Markdown(text, hyperlinks=False))


def _place(one: str) -> Path:
    """Return the page of a check id or a failure class; a usage error where there is none."""
    name = one.strip().upper()
    for folder in _FOLDERS:
        file = _docs() / folder / f"{name}.md"
        if _ID.fullmatch(name) and file.is_file():
            return file
    raise click.UsageError(
        f"there is no check or failure class {one[:30]!r}; --explain without an id lists them"
    )


def _listing() -> str:
    """Return a line for each check and failure class that has a page."""
    pages = (p for folder in _FOLDERS for p in sorted((_docs() / folder).glob("*.md")))
    titles = [_title(p.read_text(encoding="utf-8")) for p in pages if _ID.fullmatch(p.stem)]
    width = max(len(one) for one, _ in titles)
    return "".join(f"{one.ljust(width)}  {words}".rstrip() + "\n" for one, words in titles)


def _title(page: str) -> tuple[str, str]:
    """Return the id and the words of a page's heading: `# PF101: no such revision`."""
    one, _, words = page.partition("\n")[0].removeprefix("# ").partition(": ")
    return one, words


def _docs() -> Path:
    """Return where the pages lie: in the package, or beside the sources."""
    package = Path(str(resources.files("backout")))
    packed = package / "docs"
    return packed if packed.is_dir() else package.parents[1] / "docs"
