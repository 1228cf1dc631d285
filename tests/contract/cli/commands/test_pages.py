"""`backout check --explain ID`: the page of the docs, without a cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backout.core.checks import CHECKS
from backout.core.diagnosis.causes import REMEDIES
from tests.packaging.terminal import Terminal, plain

if TYPE_CHECKING:
    from tests.contract.cli.command import Command

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("one", ["PF301", "pf802", "CRASH_LOOP"])
async def test_the_page_is_printed_as_it_stands_in_the_docs(backout: Command, one: str) -> None:
    done = await backout("check", "--explain", one)
    folder = "checks" if one.upper().startswith("PF") else "failures"

    assert done.code == 0
    assert done.err.startswith("page: /")
    assert done.err.endswith(f"docs/{folder}/{one.upper()}.md\n")
    assert done.out == (DOCS / folder / f"{one.upper()}.md").read_text()


async def test_on_a_terminal_the_page_is_rendered(backout: Command) -> None:
    backout.environment = {"TERM": "xterm-256color"}
    with Terminal(60) as terminal:
        process = await backout.start("check", "--explain", "PF301", stdout=terminal.theirs)
        terminal.leave()
        text = plain(await asyncio.to_thread(terminal.rest))

    assert await process.wait() == 0
    assert "replicas - maxUnavailable" in text
    assert not {"#", "`"} & set(text)


@pytest.mark.parametrize("one", ["PF999", "../../README", "", "PF301.md"])
async def test_what_is_no_id_is_a_usage_error(backout: Command, one: str) -> None:
    done = await backout("check", "--explain", one)

    assert done.code == 2
    assert "there is no check or failure class" in done.err


def test_every_id_that_is_printed_has_a_page() -> None:
    for name in (*(c.id for c in CHECKS), *REMEDIES):
        folder = "checks" if name.startswith("PF") else "failures"
        assert (DOCS / folder / f"{name}.md").is_file()


async def test_without_an_id_every_one_is_listed_with_its_title(backout: Command) -> None:
    done = await backout("check", "--explain")
    listed = [line.split(maxsplit=1) for line in done.out.splitlines()]

    assert (done.code, done.err) == (0, "")
    assert {words[0] for words in listed} >= {*(c.id for c in CHECKS), *REMEDIES}
    assert ["PF101", "no such revision"] in listed
