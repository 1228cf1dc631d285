"""The question: only for a person at a terminal, on stderr, default No."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
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
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            out = (await self.process.stdout.read()).decode()
            code = await self.process.wait()
        while chunk := self._read():
            self.seen += chunk
        os.close(self.terminal)
        assert "Traceback" not in self.seen
        return code, out


async def talk(backout: Command, *flags: str) -> Talk:
    terminal, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("undo", "deploy/web", "--health-successes", "1", *flags),
        stdin=slave,
        stderr=slave,
        stdout=asyncio.subprocess.PIPE,
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
    assert QUESTION not in out
    assert code == 3
    assert "declined: nothing was changed" in spoken.seen
    assert api.writes == []


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
