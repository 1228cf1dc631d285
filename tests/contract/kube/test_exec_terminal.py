"""A credential plugin on a real terminal: a pseudo-terminal is a process's stdin and stderr."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.scripted_server import WITHIN

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"

PLUGIN = f"""#!{sys.executable}
import json, os, sys
interactive = json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["interactive"]
answer = ""
if interactive:
    sys.stderr.write("Passcode: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
said = {{"interactive": interactive, "answer": answer, "stdin": sys.stdin.isatty(),
         "stderr": sys.stderr.isatty(), "rest": "" if interactive else sys.stdin.read()}}
with open(os.environ["SEEN"], "w") as seen:
    json.dump(said, seen)
print(json.dumps({{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {{"token": "t"}}}}))
"""

# As the command does it (cli/here.py): a terminal is there if stdin and stderr are one.
PROGRAM = """
import asyncio, os, sys
from backout.core.errors import ConfigError
from backout.kube.connection import Plugin
from backout.kube.credentials.exec_plugin import Surroundings, identity
plugin = Plugin(
    api_version=sys.argv[1], command=sys.argv[2], interactive_mode=sys.argv[3],
    environment=dict(os.environ),
)
around = Surroundings(terminal=sys.stdin.isatty() and sys.stderr.isatty())
try:
    print(asyncio.run(identity(plugin, around)).token)
except ConfigError as exc:
    print(exc.message)
"""


@pytest.fixture
def login(tmp_path: Path) -> Path:
    script = tmp_path / "login"
    script.write_text(PLUGIN)
    script.chmod(0o755)
    return script


def command(login: Path, mode: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, V1, str(login), mode]


def environment(login: Path) -> dict[str, str]:
    return {**os.environ, "SEEN": str(login.parent / "seen")}


async def on_a_terminal(login: Path, mode: str) -> tuple[str, str]:
    """Type `1234` as soon as somebody asks; return what was printed and what the screen showed."""
    ours, theirs = pty.openpty()
    screen = bytearray()
    asked = asyncio.Event()

    def read() -> None:
        screen.extend(os.read(ours, 4096))
        if b"Passcode: " in screen:
            asked.set()

    loop = asyncio.get_running_loop()
    loop.add_reader(ours, read)
    process = await asyncio.create_subprocess_exec(
        *command(login, mode),
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env=environment(login),
        start_new_session=True,
    )
    typing = asyncio.create_task(_type(ours, asked))
    try:
        async with asyncio.timeout(WITHIN):
            printed, _ = await process.communicate()
    finally:
        typing.cancel()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)
    return printed.decode().strip(), screen.decode()


async def _type(terminal: int, asked: asyncio.Event) -> None:
    await asked.wait()
    os.write(terminal, b"1234\n")


@pytest.mark.parametrize("mode", ["IfAvailable", "Always"])
async def test_on_a_terminal_the_plugin_asks_and_is_answered(login: Path, mode: str) -> None:
    printed, screen = await on_a_terminal(login, mode)

    assert printed == "t"
    assert "Passcode: " in screen
    seen = json.loads((login.parent / "seen").read_text())
    assert (seen["answer"], seen["stdin"], seen["stderr"]) == ("1234", True, True)


async def test_a_plugin_that_never_asks_gets_no_terminal(login: Path) -> None:
    printed, screen = await on_a_terminal(login, "Never")

    assert (printed, screen) == ("t", "")
    assert json.loads((login.parent / "seen").read_text()) == {
        "interactive": False,
        "answer": "",
        "stdin": False,
        "stderr": False,
        "rest": "",
    }


def without_a_terminal(login: Path, mode: str) -> str:
    finished = subprocess.run(
        command(login, mode),
        input="typed ahead\n",
        capture_output=True,
        text=True,
        env=environment(login),
        timeout=WITHIN,
        check=True,
    )
    return finished.stdout.strip()


def test_without_a_terminal_the_plugin_gets_none_of_our_input(login: Path) -> None:
    assert without_a_terminal(login, "IfAvailable") == "t"
    seen = json.loads((login.parent / "seen").read_text())
    assert (seen["interactive"], seen["stdin"], seen["rest"]) == (False, False, "")


def test_without_a_terminal_a_plugin_that_must_ask_is_not_run(login: Path) -> None:
    assert "needs a terminal" in without_a_terminal(login, "Always")
    assert not (login.parent / "seen").exists()
