"""requirements/*.txt as they are read here: pins, markers, hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.packaging.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("runtime", "test", "dev", "uv")
_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][\w.]*)(?: ; (?P<marker>[^\\]+?))? \\")
_HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
_BELOW = re.compile(r"python_(?:full_)?version < '3\.(\d+)'")


@dataclass(frozen=True, kw_only=True)
class Pin:
    name: str
    version: str
    marker: str
    hashes: int

    def is_for(self, version: Sequence[object]) -> bool:
        """Return whether it is installed on this Python; the runtime's have no other markers."""
        if not self.marker:
            return True
        below = _BELOW.fullmatch(self.marker)
        assert below is not None, self.marker
        return int(str(version[1])) < int(below[1])


def pinned(name: str) -> list[Pin]:
    """Return the file's pins; a line that is no pin, hash or comment is a failure."""
    found: list[Pin] = []
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if line.lstrip().startswith("#"):
            continue
        if _HASH.fullmatch(line):
            last = found.pop()
            found.append(Pin(**{**vars(last), "hashes": last.hashes + 1}))
            continue
        match = _PIN.fullmatch(line)
        assert match is not None, f"requirements/{name}.txt: {line!r}"
        pin = match.groupdict()
        pin["marker"] = pin["marker"] or ""
        found.append(Pin(**pin, hashes=0))
    return found
