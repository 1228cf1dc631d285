"""A template that names 200 objects that are gone: what a person and a program get to read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.steps.shop import BAD, deploy
from tests.packaging.terminal import Terminal, plain

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

CHECK = ("check", "deploy/web")
FEW_LINES = 40
FOLDED = (
    "revision 4 cannot start: 200 objects that it needs are gone or lack a key: ConfigMap c-000, "
    "ConfigMap c-001, ConfigMap c-002 and 197 more"
)


@pytest.fixture
def many(api: ApiServer) -> ApiServer:
    """Give revision 4, the target, 200 ConfigMaps that do not exist; no Pod of it runs."""

    def change(web: dict[str, Any]) -> None:
        names = [f"c-{number:03}" for number in range(200)]
        volumes = [{"name": name, "configMap": {"name": name}} for name in names]
        web["spec"]["template"]["spec"]["volumes"] = volumes

    api.edit("deployments", "web", change)
    deploy(api, "127.0.0.1:1/app:good-too")
    deploy(api, BAD)
    for pod in api.all("pods"):
        api.remove("pods", pod["metadata"]["name"])
    return api


async def test_on_a_terminal_of_80_columns_it_is_one_finding_on_one_screen(
    backout: Command, many: ApiServer
) -> None:
    backout.environment = {"TERM": "xterm-256color"}
    with Terminal(80) as terminal:
        process = await backout.start(
            *CHECK, "--to-revision", "4", stdout=terminal.theirs, stderr=terminal.theirs
        )
        terminal.leave()
        text = plain(await asyncio.to_thread(terminal.rest))
        code = await process.wait()

    assert code == 3, text
    assert text.count("revision 4 cannot start") == 1, text
    assert FOLDED in " ".join(text.split())
    assert len(text.splitlines()) <= FEW_LINES
    assert many.lines.count("GET configmaps") == 200


async def test_in_json_it_is_one_event_that_says_the_same(
    backout: Command, many: ApiServer
) -> None:
    done = await backout(*CHECK, "--to-revision", "4", "-o", "json")
    told = [e for e in done.events if e.get("id") == "PF201"]

    assert many.lines
    assert done.code == 3
    assert [(e["event"], e["message"]) for e in told] == [("blocked", FOLDED)]
    assert max(map(len, done.out.splitlines())) < 10_000
