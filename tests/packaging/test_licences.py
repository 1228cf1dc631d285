"""docs/licences.md is what the installed packages say, and none of them binds our users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.packaging.environments import ROOT, run
from tests.packaging.requirements import pinned

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED = {
    "MIT",
    "MIT License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Apache-2.0",
    "Apache 2.0",
    "PSF-2.0",
    "MPL-2.0",
}
PAGE = ROOT / "docs" / "licences.md"


def rows() -> list[list[str]]:
    lines = [s for s in PAGE.read_text().splitlines() if s.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_is_what_the_script_makes_of_a_bare_environment(bare: Path) -> None:
    made = run(bare / "bin" / "python", ROOT / "scripts" / "licences")

    assert made == PAGE.read_text(), "make it anew: see scripts/licences"


def test_the_page_lists_every_locked_package_once_in_its_version() -> None:
    assert [(row[0], row[1]) for row in rows()] == [(p.name, p.version) for p in pinned("runtime")]


def test_every_package_has_a_reason() -> None:
    assert all(len(row) == 4 and row[3] for row in rows())


def test_no_licence_is_copyleft_beyond_the_mozilla_licence() -> None:
    said = {part for row in rows() for part in re.split(r" AND | OR ", row[2])}

    assert said <= ALLOWED
