"""The question: for whoever sits at the terminal, wherever the streams go; default No."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.command import COMMAND, Command
from tests.contract.steps.shop import BAD, CAUSE, GOOD, deploy, image

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer

QUESTION = "[y/N] "


@dataclass
class Talk:
    """A person at a terminal: stdin and stderr are it, stdout is a pipe."""

    process: asyncio.subprocess.Process
    terminal: int
    seen: str = ""

    async def until(self, text: str, times: int = 1) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            while self.seen.count(text) < times:
                chunk = await loop.run_in_executor(None, self._read)
                assert chunk, f"it ended without {text!r}:\n{self.seen}"
                self.seen += chunk

    def _read(self) -> str:
        try:
            return os.read(self.terminal, 4096).decode()
        except OSError:
            return ""

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    async def ended(self) -> tuple[int, str]:
        async with asyncio.timeout(20):
            stdout = self.process.stdout
            out = (await stdout.read()).decode() if stdout is not None else ""
            code = await self.process.wait()
        while chunk := self._read():
            self.seen += chunk
        os.close(self.terminal)
        assert "Traceback" not in self.seen
        return code, out


async def talk(backout: Command, *flags: str, columns: int = 0, is_piped: bool = True) -> Talk:
    """Start an undo; a terminal of 0 columns does not say how wide it is."""
    terminal, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("undo", "deploy/web", "--health-successes", "1", *flags),
        stdin=slave,
        stderr=slave,
        stdout=asyncio.subprocess.PIPE if is_piped else slave,
        env=backout.surroundings(),
        start_new_session=True,
    )
    os.close(slave)
    return Talk(process, terminal)


async def test_the_question_names_what_where_and_whereto(backout: Command, api: ApiServer) -> None:
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    question = spoken.seen.splitlines()[-1]
    spoken.type("\n")
    code, out = await spoken.ended()

    assert "deployment/web" in question
    assert "namespace shop" in question
    assert "context test" in question
    assert "revision 1" in question
    assert "changes: image app:bad -> app:good" in spoken.seen
    assert QUESTION not in out
    assert code == 3
    assert "declined: nothing was changed" in spoken.seen
    assert api.writes == []


async def test_the_question_is_wrapped_at_words_with_room_for_the_answer(
    backout: Command, api: ApiServer
) -> None:
    spoken = await talk(backout, columns=60)
    await spoken.until(QUESTION)
    *_, first, second = spoken.seen.splitlines()
    spoken.type("\n")
    code, _ = await spoken.ended()

    assert (first, second) == (
        "Roll deployment/web (namespace shop, context test) back",
        "    to revision 1 (app:good)? [y/N] ",
    )
    assert (code, api.writes) == (3, [])


async def test_what_changes_is_told_once_where_one_terminal_shows_it_all(
    backout: Command, api: ApiServer
) -> None:
    spoken = await talk(backout, is_piped=False)
    await spoken.until(QUESTION)
    before = spoken.seen
    spoken.type("\n")
    code, _ = await spoken.ended()

    assert before.count("image app:bad -> app:good") == 1
    assert (code, api.writes) == (3, [])


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "maybe\n", "\x04", "yy\n"])
async def test_anything_but_yes_is_no(backout: Command, api: ApiServer, answer: str) -> None:
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    spoken.type(answer)
    code, _ = await spoken.ended()

    assert code == 3
    assert image(api) == BAD
    assert api.writes == []


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " YES \n"])
async def test_yes_goes_on(backout: Command, api: ApiServer, answer: str) -> None:
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    spoken.type(answer)
    code, out = await spoken.ended()

    assert code == 0, spoken.seen
    assert "successfully rolled out" in out
    assert image(api) == GOOD


async def test_with_yes_on_the_command_line_nobody_is_asked(
    backout: Command, api: ApiServer
) -> None:
    spoken = await talk(backout, "--yes")
    code, _ = await spoken.ended()

    assert code == 0
    assert QUESTION not in spoken.seen
    assert image(api) == GOOD


async def test_a_dry_run_asks_nobody(backout: Command, api: ApiServer) -> None:
    spoken = await talk(backout, "--dry-run")
    code, _ = await spoken.ended()

    assert code == 0
    assert QUESTION not in spoken.seen
    assert image(api) == BAD


Stop = Callable[[Talk], None]


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (lambda t: t.process.send_signal(signal.SIGINT), 130),
        (lambda t: t.process.send_signal(signal.SIGTERM), 143),
    ],
    ids=["SIGINT", "SIGTERM"],
)
async def test_a_signal_at_the_question_changes_nothing(
    backout: Command, api: ApiServer, stop: Stop, code: int
) -> None:
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    stop(spoken)
    ended, _ = await spoken.ended()

    assert ended == code
    assert "interrupted: nothing was changed" in spoken.seen
    assert api.writes == []


async def test_a_plan_that_goes_stale_while_it_is_asked_is_asked_again(
    backout: Command, api: ApiServer
) -> None:
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    deploy(api, "127.0.0.1:1/app:fine")
    deploy(api, "127.0.0.1:1/app:bad2")
    spoken.type("y\n")
    await spoken.until(QUESTION, times=2)
    spoken.type("n\n")
    code, _ = await spoken.ended()

    assert "stale" in spoken.seen or "planning again" in spoken.seen
    assert code == 3
    assert image(api) == "127.0.0.1:1/app:bad2"


async def test_the_terminal_gets_no_raw_escape_of_the_cluster(
    backout: Command, api: ApiServer
) -> None:
    api.edit(
        "replicasets",
        "web-1",
        lambda r: r["metadata"]["annotations"].update({CAUSE: "\x1b[2J[red]x"}),
    )
    spoken = await talk(backout)
    await spoken.until(QUESTION)
    spoken.type("n\n")
    _, out = await spoken.ended()

    assert "\x1b[2J" not in spoken.seen + out
    assert "[red]x" in out


async def piped(backout: Command, *, terminal: bool, **environment: str) -> tuple[int, str, str]:
    """Run it with no stream at a terminal, and answer the question there with `y`, if it comes.

    `terminal`: the process has one of its own, as behind `2>&1 | tee incident.log`.
    """
    master, slave = pty.openpty()

    def own_terminal() -> None:
        os.setsid()
        if terminal:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("undo", "deploy/web", "--health-successes", "1"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**backout.surroundings(), **environment},
        preexec_fn=own_terminal,
    )
    spoken = Talk(process, master)
    if terminal and not environment:
        await spoken.until(QUESTION)
        spoken.type("y\n")
    code = await process.wait()
    os.close(slave)  # not before: the process would be told that its terminal has gone
    _, out = await spoken.ended()
    return code, out, spoken.seen


async def test_behind_a_pipe_the_question_reaches_the_terminal(
    backout: Command, api: ApiServer
) -> None:
    code, out, seen = await piped(backout, terminal=True)

    assert code == 0, out
    assert "Roll deployment/web" in seen
    assert QUESTION not in out
    assert image(api) == GOOD


@pytest.mark.parametrize("ci", [True, False], ids=["CI", "no terminal"])
async def test_where_nobody_can_be_asked_a_yes_is_needed(
    backout: Command, api: ApiServer, *, ci: bool
) -> None:
    environment = {"CI": "true"} if ci else {}
    code, out, _ = await piped(backout, terminal=ci, **environment)

    assert code == 2
    assert "cannot ask for confirmation; pass --yes" in out
    assert api.requests == []


async def test_the_old_name_of_unpause_says_what_it_is_called_now(backout: Command) -> None:
    ended = await backout("undo", "deploy/web", "--resume")

    assert ended.code == 2
    assert "--resume is called --unpause now" in ended.err
