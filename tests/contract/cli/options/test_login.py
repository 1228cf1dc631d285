"""A credential plugin that takes its time: what the commands make of it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import signal
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import trustme

from tests.contract.api_server import ApiServer
from tests.contract.cli.command import WITHIN, Finished, finished, send
from tests.contract.cli.output.test_prompt import Talk
from tests.contract.steps.shop import shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.cli.command import Command

WAITING = "waiting for the credential plugin login"
V1 = "client.authentication.k8s.io/v1"
CREDENTIAL = {"apiVersion": V1, "kind": "ExecCredential", "status": {"token": "t"}}


@pytest_asyncio.fixture
async def api(backout: Command) -> AsyncIterator[ApiServer]:
    """Give an API server behind TLS: without it nobody logs in."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with ApiServer(tls=tls) as server:
        ca = base64.b64encode(authority.cert_pem.bytes()).decode()
        backout.point_to(server.url, **{"certificate-authority-data": ca})
        yield shop(server)


def log_in_with(backout: Command, source: str, *, mode: str = "IfAvailable") -> None:
    """Let the kubeconfig's user log in by a program that leaves its pid, then does as told."""
    script = backout.home / "login"
    pid = str(backout.home / "pid")
    script.write_text(
        f"#!{sys.executable}\nimport os, time\n"
        f"with open({pid!r}, 'w') as file: file.write(str(os.getpid()))\n{source}\n"
    )
    script.chmod(0o755)
    plugin = {"apiVersion": V1, "command": str(script), "interactiveMode": mode}
    content = json.loads(backout.kubeconfig.read_text())
    content["users"] = [{"name": "tester", "user": {"exec": plugin}}]
    backout.kubeconfig.write_text(json.dumps(content))


def is_gone(backout: Command) -> bool:
    return not Path(f"/proc/{(backout.home / 'pid').read_text()}").exists()


def skipped(done: Finished) -> list[str]:
    """Return which checks were not made, by the event that says so."""
    (checked,) = [e for e in done.events if e["event"] == "checked"]
    found: list[str] = checked["skipped"]
    return found


async def heard(stream: asyncio.StreamReader | None, words: str) -> None:
    """Read until a line has these words."""
    assert stream is not None
    async with asyncio.timeout(WITHIN):
        while words not in (line := (await stream.readline()).decode()):
            assert line, f"it ended without: {words}"


@pytest.mark.parametrize(
    "words",
    [
        ("check", "deploy/web"),
        ("history", "deploy/web"),
        pytest.param(("ledger", "deploy/web"), marks=pytest.mark.every_case),
        pytest.param(("ledger",), marks=pytest.mark.every_case),
    ],
)
async def test_a_login_that_nobody_answers_ends_with_the_time_of_the_whole(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    log_in_with(backout, "time.sleep(60)")
    done = await backout(*words, "--timeout", "2s")

    assert done.code == 1
    assert "time was up after 2 s" in done.err
    assert api.lines == []
    assert is_gone(backout)


@pytest.mark.usefixtures("api")
async def test_a_long_login_takes_nothing_from_the_time_of_what_is_read_after_it(
    backout: Command,
) -> None:
    usual = await backout("check", "deploy/web", "-o", "json")
    answered = backout.home / "answered"
    log_in_with(
        backout,
        f"while not os.path.exists({str(answered)!r}): time.sleep(0.01)\n"
        f"print({json.dumps(CREDENTIAL)!r})",
    )
    flags = ("-o", "json", "--preflight-budget", "1s", "--request-timeout", "1s")
    process = await backout.start("check", "deploy/web", *flags)
    await heard(process.stdout, WAITING)
    answered.touch()
    done = await finished(process)

    assert done.code == usual.code
    assert skipped(done) == skipped(usual)


@pytest.mark.parametrize("words", [("undo", "deploy/web"), ("history", "deploy/web")])
async def test_an_interruption_ends_the_login_at_once(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    log_in_with(backout, "time.sleep(60)")
    process = await backout.start(*words)
    await heard(process.stderr, WAITING)
    send(process, signal.SIGINT)
    done = await finished(process)

    assert done.code == 130
    assert done.lines[-1] == "ERROR: interrupted: nothing was changed"
    assert api.lines == []
    assert is_gone(backout)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    "words", [("history", "deploy/web"), ("ledger", "deploy/web"), ("ledger",)]
)
async def test_who_only_looks_can_be_asked_on_the_terminal(
    backout: Command, words: tuple[str, ...]
) -> None:
    asks = "assert input() == '1234'"
    log_in_with(
        backout,
        f"os.write(2, b'Passcode: ')\n{asks}\nprint({json.dumps(CREDENTIAL)!r})",
        mode="Always",
    )
    ours, theirs = pty.openpty()
    there = Talk(await backout.start(*words, stdin=theirs, stderr=theirs), ours)
    os.close(theirs)
    await there.until("Passcode: ")
    there.type("1234\n")
    code, out = await there.ended()

    assert code == 0, there.seen
    assert out
