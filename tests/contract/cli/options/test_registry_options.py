"""Who looks at a registry before a cause is final asks it as the user said that it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.registry.scripts import FOUND, NOT_FOUND, registry_of
from tests.contract.scripted_server import Answer, Received, ScriptedServer, Step

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command


def cannot_pull(api: ApiServer, image: str) -> None:
    """Let the newest revision's Pod wait for an image that its registry does not have."""
    text = f'failed to resolve reference "{image}": {image}: not found'
    waits = {"waiting": {"reason": "ErrImagePull", "message": text}}

    def change(pod: dict[str, Any]) -> None:
        pod["status"]["containerStatuses"] = [{"name": "app", "image": image, "state": waits}]

    api.edit("pods", "web-2-0", change)


def answering(manifest: Step) -> Any:
    def answer(request: Received) -> Step:
        return manifest if "/manifests/" in request.path else Answer(json={})

    return answer


@pytest.mark.parametrize("command", ["status", "explain"])
async def test_an_image_that_is_there_by_now_is_not_called_gone(
    backout: Command, api: ApiServer, command: str
) -> None:
    async with ScriptedServer(answering(FOUND)) as registry:
        host = registry_of(registry)
        cannot_pull(api, f"{host}/app:v9")
        more = ("--timeout", "2s", "--soak", "1s") if command == "status" else ()
        asked = ("--patience", "0s", "--registry-plain-http", host)
        ran = await backout(command, "deploy/web", "-o", "json", *asked, *more)

    assert [r.method for r in registry.requests][:1] == ["HEAD"], ran.err
    assert ran.code == 5, ran.err
    assert not any(e["final"] for e in ran.events if e["event"] == "cause")


@pytest.mark.parametrize("command", ["status", "explain"])
async def test_one_that_is_gone_to_us_too_is(
    backout: Command, api: ApiServer, command: str
) -> None:
    async with ScriptedServer(answering(NOT_FOUND)) as registry:
        host = registry_of(registry)
        cannot_pull(api, f"{host}/app:v9")
        backout.environment = {"BACKOUT_REGISTRY_PLAIN_HTTP": host}
        ran = await backout(command, "deploy/web", "-o", "json", "--patience", "0s")

    assert registry.requests, ran.err
    assert ran.code == 4, ran.err
