"""Every link of the documentation leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MADE_UP = {"PF301.md"}
"""Words of a test that are no page."""
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """Return what a page can be entered by, as GitHub names its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    wrong = []
    for path, anchor in LINK.findall(page.read_text()):
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            wrong.append(f"{path}#{anchor}")

    assert not wrong


def test_every_page_that_the_code_names_is_in_this_repository() -> None:
    named = re.compile(r"[\w./-]+\.md\b")
    files = [p for top in ("src", "tests", "sandbox", "bench") for p in (ROOT / top).rglob("*.py")]
    wrong = [
        f"{path.relative_to(ROOT)}: {page}"
        for path in files
        if path != Path(__file__)
        for page in named.findall(path.read_text())
        if page not in MADE_UP
        and not any((folder / page).exists() for folder in (ROOT, ROOT / "docs"))
    ]

    assert not wrong
