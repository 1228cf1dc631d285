"""On terminals of any width, in colour or without: the same words, none broken, and none acts."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.api_server import failure
from tests.contract.steps.shop import GOOD, image
from tests.packaging.terminal import ESCAPE, Terminal, plain

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

COLOURS = {"TERM": "xterm-256color"}
MARKUP = "[red]careful[/red] [link=http://x]here[/] :smile: :warning: [bold"
WORDS = " ".join(f"word{n:03d}" for n in range(28))
OTHERS = (("undo", "--help"), ("undo",), ("undo", "deploy/nope"))
DRY_RUN = ("undo", "deploy/web", "--dry-run", "--trace-id", "t1")
STYLED = re.compile(rf"({ESCAPE}\[\d+m)+[^{ESCAPE}]+{ESCAPE}\[0m")
TIMES = re.compile(r"\d+(\.\d+)? m?s\b")


async def shown(
    backout: Command, *arguments: str, environment: dict[str, str], columns: int = 80
) -> tuple[int, str]:
    """Run the command with a terminal for stdout and stderr."""
    backout.environment = environment
    with Terminal(columns) as terminal:
        theirs = terminal.theirs
        process = await backout.start(*arguments, stdout=theirs, stderr=theirs)
        terminal.leave()
        text = await asyncio.to_thread(terminal.rest)
        return await process.wait(), text


async def piped(
    backout: Command, *arguments: str, environment: dict[str, str] | None = None
) -> str:
    backout.environment = environment or {}
    done = await backout(*arguments, stderr=asyncio.subprocess.STDOUT)
    return done.out


def timeless(text: str) -> str:
    return TIMES.sub("TIME", text)


@pytest.mark.parametrize("columns", [20, 80, 200])
async def test_a_terminal_of_any_width_gets_the_words_that_a_pipe_gets_and_breaks_none(
    backout: Command, api: ApiServer, columns: int
) -> None:
    api.warnings = (WORDS,)
    expected = await piped(backout, *DRY_RUN)
    code, text = await shown(backout, *DRY_RUN, columns=columns, environment=COLOURS)

    assert code == 0, text
    lines = [line for line in plain(text).splitlines() if "word0" in line]
    assert timeless(plain(text)).split() == timeless(expected).split()
    assert len(lines) > 1
    assert all(len(line) < columns for line in lines)


async def test_a_colour_terminal_gets_colours(backout: Command, api: ApiServer) -> None:
    api.warnings = ("careful",)
    _, text = await shown(backout, *DRY_RUN, environment=COLOURS)

    assert f"{ESCAPE}[33mWARN: the API server warns: careful{ESCAPE}[0m\n" in text


async def test_every_colour_ends_with_its_line(backout: Command, api: ApiServer) -> None:
    api.warnings = ("careful",)
    _, text = await shown(backout, *DRY_RUN, "-v", environment=COLOURS)
    coloured = [line for line in text.splitlines() if ESCAPE in line]

    assert coloured
    assert [line for line in coloured if not STYLED.fullmatch(line)] == []


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"TERM": "unknown"},
        {},
        {"NO_COLOR": "1", **COLOURS},
        {"NO_COLOR": "0", **COLOURS},
        {"NO_COLOR": "1", "FORCE_COLOR": "1", "COLORTERM": "truecolor", **COLOURS},
        {"TERM": "dumb", "CLICOLOR_FORCE": "1"},
    ],
    ids=lambda one: ",".join(f"{k}={v}" for k, v in one.items()) or "no TERM",
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        (*DRY_RUN, "-v"),
        *(pytest.param(a, marks=pytest.mark.every_case) for a in OTHERS),
    ],
    ids=" ".join,
)
async def test_a_terminal_without_colours_gets_no_escape_sequence_at_all(
    backout: Command, api: ApiServer, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    api.warnings = (MARKUP,)
    _, text = await shown(backout, *arguments, environment=environment)

    assert text
    assert ESCAPE not in text


async def test_the_error_of_a_command_that_only_reads_is_wrapped_at_words(
    backout: Command,
) -> None:
    nowhere = ("report", "--journal", str(backout.home / "none.jsonl"))
    code, text = await shown(backout, *nowhere, environment=COLOURS, columns=40)
    words = await piped(backout, *nowhere)

    assert code == 1
    assert plain(text).split() == words.split()
    assert len(plain(text).splitlines()) > len(words.splitlines())


async def test_an_empty_no_color_forbids_nothing(backout: Command, api: ApiServer) -> None:
    api.warnings = ("careful",)
    _, text = await shown(backout, *DRY_RUN, environment={"NO_COLOR": "", **COLOURS})

    assert ESCAPE in text


@pytest.mark.parametrize("environment", [{}, COLOURS, {"CLICOLOR_FORCE": "1", **COLOURS}])
async def test_a_pipe_gets_no_escape_sequence(
    backout: Command, api: ApiServer, environment: dict[str, str]
) -> None:
    api.warnings = (MARKUP,)
    text = await piped(backout, *DRY_RUN, "-v", environment=environment)

    assert MARKUP in text
    assert ESCAPE not in text


async def test_stderr_that_is_a_file_gets_no_escape_sequence_though_stdout_is_a_terminal(
    backout: Command, api: ApiServer
) -> None:
    api.warnings = ("careful",)
    backout.environment = dict(COLOURS)
    with Terminal() as terminal:
        done = await backout(*DRY_RUN, stdout=terminal.theirs)

    assert "WARN: the API server warns: careful\n" in done.err
    assert ESCAPE not in done.err


async def test_markup_and_emoji_codes_of_the_cluster_stay_as_they_are(
    backout: Command, api: ApiServer
) -> None:
    api.warnings = (MARKUP,)
    _, text = await shown(backout, *DRY_RUN, environment=COLOURS)

    assert f"the API server warns: {MARKUP}" in " ".join(plain(text).split())
    assert all(STYLED.fullmatch(line) for line in text.splitlines() if ESCAPE in line)


async def test_escape_sequences_of_the_cluster_are_spelled_out(
    backout: Command, api: ApiServer
) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\rno\u202e\x9b31m"
    api.before = lambda _: failure(403, "Forbidden", hostile)
    code, text = await shown(backout, "undo", "deploy/web", environment=COLOURS)

    assert code == 1, text
    assert r"\x1b[2J\x1b]0;owned\x07\rno\u202e\x9b31m" in text
    assert not set(plain(text)) & {"\x1b", "\x07", "\r", "\u202e", "\x9b"}


async def test_json_on_a_terminal_is_json_and_has_no_colours(
    backout: Command, api: ApiServer
) -> None:
    api.warnings = (MARKUP,)
    _, text = await shown(backout, *DRY_RUN, "-o", "json", environment=COLOURS)

    assert text.startswith("{")
    assert ESCAPE not in text


@pytest.mark.parametrize(
    "command", [(), ("undo",), ("completion",)], ids=["backout", "undo", "completion"]
)
@pytest.mark.parametrize(("columns", "widest"), [(80, 80), (200, 100)])
async def test_help_fits_the_terminal(
    backout: Command, command: tuple[str, ...], columns: int, widest: int
) -> None:
    code, text = await shown(backout, *command, "--help", columns=columns, environment=COLOURS)

    assert code == 0
    assert text.startswith("Usage: backout")
    assert max(map(len, text.splitlines())) < widest
    assert ESCAPE not in text


async def test_help_that_is_piped_fits_80_columns(backout: Command) -> None:
    assert max(map(len, (await piped(backout, "undo", "--help")).splitlines())) <= 80


async def test_a_terminal_that_knows_ascii_only_gets_ascii(
    backout: Command, api: ApiServer
) -> None:
    api.warnings = ("café … │",)
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    code, text = await shown(backout, *DRY_RUN, environment=COLOURS | ascii_only)

    assert code == 0, text
    assert text.isascii()
    assert r"caf\xe9 \u2026 \u2502" in text


@pytest.mark.slow
async def test_a_terminal_that_is_closed_in_the_middle_stops_nothing(
    backout: Command, api: ApiServer
) -> None:
    backout.environment = dict(COLOURS)
    with Terminal() as terminal:
        closed = asyncio.Event()

        def close(_: object) -> None:
            if not closed.is_set():
                closed.set()
                terminal.leave()
                terminal.vanish()

        api.before = close
        process = await backout.start(
            "undo", "deploy/web", "--yes", stdout=terminal.theirs, stderr=terminal.theirs
        )
        code = await process.wait()

    assert closed.is_set()
    assert code == 0
    assert image(api) == GOOD
