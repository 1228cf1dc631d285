"""`version` asks the server for 2 s at most; `--version` and `--client` ask nobody."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from backout import __version__
from tests.contract.scripted_server import Answer, Hang, ScriptedServer

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command


@pytest.mark.parametrize("words", [("--version",), ("version", "--client")])
async def test_nobody_is_asked_for_our_own_version(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    done = await backout(*words)

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"backout {__version__}\n")
    assert api.requests == []


async def test_a_server_that_does_not_answer_is_told_within_its_2_seconds(backout: Command) -> None:
    async with ScriptedServer(lambda _: Hang()) as silent:
        backout.point_to(silent.url)
        begun = time.monotonic()
        done = await backout("version", "-o", "json")
        took = time.monotonic() - begun

    told = json.loads(done.out)
    assert done.code == 0
    assert told["client"]["version"] == __version__
    assert told["server"] is None
    assert "2 s" in told["error"]
    assert 2 <= took < 6


async def test_the_servers_version_stands_beside_ours(backout: Command) -> None:
    async with ScriptedServer(lambda _: Answer(json={"gitVersion": "v1.34.1"})) as server:
        backout.point_to(server.url)
        text = await backout("version")
        read = json.loads((await backout("version", "-o", "json")).out)

    assert text.out.splitlines()[-1] == "server v1.34.1 (context test)"
    assert read["server"] == {"version": "v1.34.1", "context": "test"}
