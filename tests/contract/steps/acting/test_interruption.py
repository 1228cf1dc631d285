"""Ctrl-C before and after the answer of every request: the last word is true every time."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.api_server import ApiServer, line_of
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    Told,
    deploy,
    holder,
    image,
    shop,
    states,
    undone,
)

if TYPE_CHECKING:
    from tests.contract.scripted_server import Answer, Received, Step

MOST = 80


async def interrupted(number: int, moment: str) -> tuple[ApiServer, Told, str]:
    """Cancel an undo at its request `number`; return what was said and that request's line.

    The line is empty where the run had fewer requests.
    """
    hit = ""

    def cancel(request: Received) -> None:
        nonlocal hit
        hit = line_of(request)
        task.cancel()

    def before(request: Received) -> Step | None:
        if moment == "before" and len(api.requests) == number:
            cancel(request)
        return None

    def after(request: Received, _: Answer) -> Step | None:
        if moment == "after" and api.requests[number - 1 : number] == [request]:
            cancel(request)
        return None

    async with ApiServer() as api:
        shop(api)
        api.before, api.after = before, after
        task = asyncio.create_task(undone(api))
        try:
            told = await task
        except asyncio.CancelledError:
            told = Told()
    return api, told, hit


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_interruption_at_any_request_is_told_truly(moment: str) -> None:
    wrong = []
    for number in range(1, MOST):
        api, told, hit = await interrupted(number, moment)
        wrong += [f"request {number} ({hit}): {w}" for w in faults(api, told)]
        if not hit and number > len(api.requests):
            break
    else:
        pytest.fail(f"more than {MOST} requests")

    assert number > 20
    assert not wrong, "\n".join(wrong)


def faults(api: ApiServer, told: Told) -> list[str]:
    """Return what is not true about how a run ended."""
    message = told.message or "nothing was changed"
    checks = {
        "the template is neither": image(api) in {GOOD, BAD},
        f"{message}, but it was": "nothing was changed" not in message or image(api) == BAD,
        f"{message}, but it was not": "was set to" not in message or image(api) == GOOD,
        f"lock held: {message}": not api.find("leases", LEASE) or holder(api) == "",
        f"record open: {states(api)}": "not known" in message or "INTENT" not in states(api),
        f"record {states(api)} although: {message}": ("its rollout was not watched" in message)
        == ("APPLIED" in states(api)),
        f"{states(api)} although: {message}": image(api) == BAD
        or not {"NOT_APPLIED"} & set(states(api)),
        f"{states(api)} although it was not applied": image(api) == GOOD
        or not {"APPLIED", "SUCCEEDED", "FAILED", "UNDECIDED"} & set(states(api)),
        f"the word is {told.result}": told.result in {"", "interrupted", "succeeded"},
        f"not watched although judged: {message}": "SUCCEEDED" not in states(api)
        or "not watched" not in message,
        "another annotation was touched": "team.example/owner"
        in json.dumps(api.get("deployments", "web")["metadata"]["annotations"]),
    }
    return [what for what, holds in checks.items() if not holds]


@pytest.mark.parametrize("line", ["POST leases", "PUT leases"])
@pytest.mark.parametrize("held_for", [0.1, 60.0], ids=["slow", "lost on the way"])
async def test_a_lease_write_that_lands_after_the_interruption_is_no_silent_lock(
    line: str, held_for: float
) -> None:
    landed, is_there = asyncio.Event(), asyncio.Event()
    late = False

    async with ApiServer() as api:
        shop(api)
        if line == "PUT leases":
            await undone(api)
            deploy(api, "127.0.0.1:1/app:bad2")

        async def land() -> Step | None:
            nonlocal late
            late = True
            task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(held_for):
                    await landed.wait()
            return None

        def before(request: Received) -> Any:
            return land() if line_of(request) == line and not late else None

        def after(request: Received, _: Answer) -> Step | None:
            if line_of(request) == line:
                is_there.set()
            return None

        api.before, api.after = before, after
        task = asyncio.create_task(undone(api, look_for_leaks=False))
        told = await task
        landed.set()
        await asyncio.wait_for(is_there.wait(), 5)
        is_held = holder_or_none(api) != ""
        assert told.result == "interrupted"
        assert "nothing was changed" in told.message
        assert not is_held or "expires by itself" in told.text, told.text
        assert is_held or not {"INTENT"} & set(states(api))
        assert not (is_held and held_for < 1), "a slow answer is waited for"


async def test_an_interruption_waits_for_the_answer_of_a_patch_that_is_under_way() -> None:
    async with ApiServer() as api:
        shop(api)
        landed = asyncio.Event()

        async def land() -> Step | None:
            task.cancel()
            asyncio.get_running_loop().call_later(0.2, landed.set)
            await landed.wait()
            return None

        api.before = lambda r: land() if line_of(r) == "PATCH deployments" else None
        task = asyncio.create_task(undone(api))
        told = await task

        assert told.result == "interrupted"
        assert "was set to revision 1" in told.message
        assert image(api) == GOOD
        assert states(api) == ["APPLIED"]
        assert holder(api) == ""


def holder_or_none(api: ApiServer) -> str:
    return holder(api) if api.find("leases", LEASE) else ""
