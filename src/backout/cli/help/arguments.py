"""Words of a command line that kubectl takes, as click takes them. Pure."""

from __future__ import annotations

import re

SHOWN = 6
"""From this level on kubectl's `-v` shows each request; so does ours."""
_LEVEL = re.compile(r"(?:-v=?|--v=)(\d{1,3})", re.ASCII)
_SAID = {
    "--dry-run": ["--dry-run=server"],
    "--insecure-skip-tls-verify=true": ["--insecure-skip-tls-verify"],
    "--insecure-skip-tls-verify=false": [],
}


def plain(arguments: list[str]) -> list[str]:
    """Return the words for click: `-v=6` is `-v`, `--dry-run` alone is the server's."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before = [word for one in arguments[:end] for word in _plain(one)]
    return [*before, *arguments[end:]]


def _plain(word: str) -> list[str]:
    level = _LEVEL.fullmatch(word)
    if level is not None:
        return ["-v"] if int(level[1]) >= SHOWN else []
    return _SAID.get(word, [word])
