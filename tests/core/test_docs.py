"""Every check id and failure class has a page that says what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backout.core.checks import CHECKS
from backout.core.diagnosis.causes import REMEDIES
from backout.core.diagnosis.groups import TABLE
from backout.core.plan.selection import CHOICES

if TYPE_CHECKING:
    from backout.core.checks.check import Check

DOCS = Path(__file__).parents[2] / "docs"
ALL = sorted((*CHOICES, *CHECKS), key=lambda c: c.id)


@pytest.mark.parametrize("check", ALL, ids=lambda c: c.id)
def test_each_check_has_a_page_with_its_title_and_severity(check: Check) -> None:
    page = (DOCS / "checks" / f"{check.id}.md").read_text()

    assert page.startswith(f"# {check.id}: {check.title}\n")
    assert f"\nSeverity: {check.severity}\n" in page
    assert ("`--accept" in page.split("## Can it be accepted?")[1]) == (
        check.acceptable and check.severity == "BLOCK"
    )


def test_the_index_of_checks_lists_all_and_no_others() -> None:
    index = (DOCS / "checks" / "README.md").read_text()
    rows = re.findall(r"^\| \[(PF\d+)\]\(\1\.md\) \| (\w+) \| (.*) \|$", index, re.MULTILINE)

    assert rows == [(c.id, str(c.severity), c.title) for c in ALL]
    assert {p.stem for p in (DOCS / "checks").glob("PF*.md")} == {c.id for c in ALL}


def test_no_id_is_given_twice() -> None:
    assert len({c.id for c in ALL}) == len(ALL)


def test_each_failure_class_has_a_page_with_its_remedy() -> None:
    pages = {p.stem for p in (DOCS / "failures").glob("[A-Z]*_*.md")} | {
        p.stem for p in (DOCS / "failures").glob("[A-Z]*.md") if p.stem != "README"
    }
    index = (DOCS / "failures" / "README.md").read_text()

    assert pages == set(REMEDIES)
    for code, remedy in REMEDIES.items():
        page = " ".join((DOCS / "failures" / f"{code}.md").read_text().split())
        assert f"{remedy[1:]}." in page
        assert f"[{code}]({code}.md)" in index


def test_each_failure_page_says_its_group_when_it_is_final_and_what_keeps_it_from_that() -> None:
    headings = ["Signal", "Group", "Suspected", "Final", "What keeps it from being final", "Remedy"]
    for code, rows in TABLE.items():
        page = (DOCS / "failures" / f"{code}.md").read_text()
        groups = " ".join(page.split("## Group\n")[1].split("\n## ")[0].split())
        told = dict.fromkeys(f"**{row.group}**" for row in rows)

        assert re.findall(r"^## (.*)$", page, re.MULTILINE) == headings
        assert groups == f"Who could still make it right: {', or '.join(told)}."


def test_the_journal_page_is_made_of_the_events() -> None:
    script = DOCS.parent / "scripts" / "journal_page"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
