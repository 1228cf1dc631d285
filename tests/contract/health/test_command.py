"""A smoke test of the user's: its exit code counts, and no process of it lives on."""

from __future__ import annotations

import asyncio
import os
import select
from typing import TYPE_CHECKING

import pytest

from backout.core.health.judgement import Answer, Sample
from backout.health.command import Command
from tests.contract.pipes import WITHIN, nobody_writes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def command(text: str, *, timeout: float = WITHIN, **environment: str) -> Command:
    return Command(
        command=text, environment={"PATH": "/usr/bin:/bin", **environment}, timeout=timeout
    )


async def answer(text: str, *, timeout: float = WITHIN, **environment: str) -> Sample:  # noqa: ASYNC109 (the command's)
    return await command(text, timeout=timeout, **environment).ask()


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Give a pipe, and its end to read: that ends when every process that writes has gone."""
    path = tmp_path / "alive"
    os.mkfifo(path)
    end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path, end
    os.close(end)


@pytest.mark.parametrize(
    ("text", "word", "detail"),
    [
        ("true", Answer.WELL, "exit code 0"),
        ("exit 3", Answer.UNWELL, "exit code 3"),
        ("false; true", Answer.WELL, "exit code 0"),
        ("no-such-program-here", Answer.UNKNOWN, "could not be run (exit code 127)"),
        ("/etc/passwd", Answer.UNKNOWN, "could not be run (exit code 126)"),
        ("kill -9 $$", Answer.UNKNOWN, "killed by signal 9"),
        ("if then", Answer.UNWELL, "exit code 2"),
    ],
)
async def test_what_an_exit_code_is_worth(text: str, word: Answer, detail: str) -> None:
    sample = await answer(text)
    assert (sample.answer, sample.detail) == (word, detail)


async def test_it_has_no_input_and_the_environment_that_it_is_given() -> None:
    sample = await answer(
        'cat; echo "$BACKOUT_REVISION of $BACKOUT_WORKLOAD"',
        BACKOUT_REVISION="7",
        BACKOUT_WORKLOAD="deployment/web",
    )

    assert sample.lines == ("7 of deployment/web",)


async def test_the_last_twenty_lines_of_both_streams_are_kept_in_their_order() -> None:
    sample = await answer("for i in $(seq 30); do echo out $i; echo err $i >&2; done; exit 1")

    assert len(sample.lines) == 20
    assert sample.lines[-4:] == ("out 29", "err 29", "out 30", "err 30")


async def test_what_it_prints_is_masked_escaped_and_cut() -> None:
    sample = await answer(
        r"""printf 'password=hunter2\n\033[2J##[error]x\n'; printf 'x%.0s' $(seq 9000)"""
    )

    assert "hunter2" not in str(sample.lines)
    assert sample.lines[1].startswith(r"\x1b[2J#\x23[error]x")
    assert all(len(line) <= 256 for line in sample.lines)


async def test_an_endless_output_is_read_and_dropped() -> None:
    sample = await answer("head -c 20000000 /dev/zero | tr '\\0' y; echo; echo end")

    assert sample.answer is Answer.WELL
    assert sample.lines[-1] == "end"


async def test_its_name_is_one_line_and_it_is_not_shown_in_a_traceback() -> None:
    assert command("./smoke\n  --fast " + "x" * 90).name.startswith("command ./smoke --fast xxx")
    assert "abc123" not in repr(command("./smoke --token=abc123", TOKEN="abc123"))


async def test_one_that_hangs_is_killed_with_its_children_and_its_last_words_are_kept(
    alive: tuple[Path, int],
) -> None:
    sample = await answer(f"echo connecting; sleep 300 >{alive[0]} & sleep 300", timeout=2.0)

    assert (sample.answer, sample.detail) == (Answer.UNKNOWN, "not over after 2 s, and killed")
    assert sample.lines == ("connecting",)
    assert nobody_writes(alive[1])


async def test_who_ignores_sigterm_is_killed_all_the_same(alive: tuple[Path, int]) -> None:
    line = f"trap '' TERM INT HUP; sleep 300 >{alive[0]}; sleep 300"
    sample = await answer(line, timeout=1.0)

    assert sample.answer is Answer.UNKNOWN
    assert nobody_writes(alive[1])


async def test_an_interruption_kills_it_with_its_children(alive: tuple[Path, int]) -> None:
    path, end = alive
    line = f"(echo x; exec sleep 300) >{path} & sleep 300"
    asking = asyncio.create_task(answer(line, timeout=60.0))
    await asyncio.to_thread(select.select, [end], [], [], WITHIN)
    assert os.read(end, 2) == b"x\n"
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert nobody_writes(end)


async def test_what_it_leaves_in_the_background_does_not_outlive_it(
    alive: tuple[Path, int],
) -> None:
    sample = await answer(f"sleep 300 >{alive[0]} 2>&1 & true")

    assert sample.answer is Answer.WELL
    assert nobody_writes(alive[1])
