"""A run that died: the next one settles its record first, and never makes matters worse."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.api_server import ApiServer, failure, is_undo
from tests.contract.scripted_server import Answer, Received, Step
from tests.contract.steps.crash import crashed, is_fence
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    MARKER,
    control,
    count,
    deploy,
    expire_lock,
    holder,
    image,
    records,
    states,
    undone,
)


async def test_a_live_lock_of_a_dead_run_refuses_until_it_has_expired(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    told = await undone(api, actor="bob")

    assert told.result == "refused"
    assert "another rollback is under way" in told.text
    assert states(api) == ["INTENT"]


async def test_an_intent_whose_patch_never_landed_is_closed_not_applied_and_the_undo_goes_on(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    told = await undone(api, actor="bob")

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]
    assert "closed as NOT_APPLIED" in told.text
    assert image(api) == GOOD
    assert holder(api) == ""


async def test_an_intent_whose_patch_landed_is_gone_on_with_by_the_same_command(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=True)
    assert image(api) == GOOD
    expire_lock(api)
    told = await undone(api, actor="bob")

    assert image(api) == GOOD, told.text
    assert states(api) == ["SUCCEEDED"]
    assert told.result == "succeeded"
    assert holder(api) == ""


async def test_a_record_that_was_applied_and_not_closed_is_gone_on_with_by_the_next_run(
    api: ApiServer,
) -> None:
    await crashed(api, lambda r: b"SUCCEEDED" in r.body, applied=False)
    assert states(api) == ["APPLIED"]
    expire_lock(api)
    told = await undone(api, actor="bob")

    assert image(api) == GOOD, told.text
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""


async def test_a_marker_that_was_wiped_before_it_was_copied_is_closed_undecided(
    api: ApiServer,
) -> None:
    api.controller = lambda *_: None
    await crashed(api, is_undo, applied=True)
    api.edit("deployments", "web", _forget)
    api.controller = control
    deploy(api, "127.0.0.1:1/app:bad2")
    expire_lock(api)
    told = await undone(api, actor="bob")

    assert states(api)[0] == "UNDECIDED", told.text
    assert records(api)[0]["verdict"] == "cannot be told any more; settled by bob on here"


def _forget(obj: dict[str, Any]) -> None:
    obj["metadata"].get("annotations", {}).pop(MARKER, None)


async def test_a_crash_counts_for_the_breaker(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    await undone(api, actor="bob")
    deploy(api, "127.0.0.1:1/app:bad2")
    assert (await undone(api, actor="bob")).result == "succeeded"
    deploy(api, "127.0.0.1:1/app:bad3")
    told = await undone(api, actor="bob")

    assert told.of("blocked") == ["rollback rate limit exceeded — manual intervention required"]


async def test_a_patch_that_never_landed_does_not_count_for_the_breaker(api: ApiServer) -> None:
    for _ in range(2):
        await crashed(api, is_undo, applied=False)
        expire_lock(api)
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "NOT_APPLIED", "SUCCEEDED"]


async def test_the_fence_moves_the_version_and_not_the_generation(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    generation = api.get("deployments", "web")["metadata"]["generation"]
    await undone(api, actor="bob")
    fences = [r for r in api.requests if is_fence(r)]

    assert len(fences) == 1
    (value,) = fences[0].json["metadata"]["labels"].values()
    assert len(value) <= 63
    assert records(api)[1]["from"]["generation"] == generation


async def test_a_second_crash_during_the_recovery_is_recovered_too(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    await crashed(api, is_fence, applied=True)
    expire_lock(api)
    told = await undone(api, actor="carol")

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]


@pytest.mark.parametrize("code", [403, 500])
async def test_a_recovery_that_fails_lets_the_lock_go_and_leaves_the_record_open(
    api: ApiServer, code: int
) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    api.before = lambda r: failure(code, "Forbidden", "no fences") if is_fence(r) else None
    told = await undone(api, actor="bob")

    assert told.result == "not changed", told.text
    assert states(api) == ["INTENT"]
    assert holder(api) == ""
    assert "gone from the ledger" not in told.text


async def test_a_recovery_that_is_interrupted_lets_the_lock_go(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    task = asyncio.create_task(undone(api, actor="bob"))

    def before(request: Received) -> Step | None:
        if is_fence(request):
            task.cancel()
        return None

    api.before = before
    told = await task

    assert told.message == "interrupted: nothing was changed"
    assert holder(api) == ""
    assert image(api) == BAD
    assert set(states(api)) <= {"INTENT", "NOT_APPLIED"}


async def test_a_lock_that_a_tool_unknown_to_us_holds_is_respected_and_then_taken(
    api: ApiServer,
) -> None:
    renewed = api.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "other", "leaseDurationSeconds": 60, "renewTime": renewed}
    api.add("leases", {"metadata": {"name": LEASE}, "spec": spec})
    refused = await undone(api)
    expire_lock(api)
    told = await undone(api)

    assert refused.result == "refused"
    assert "other has held the lock" in refused.text
    assert told.result == "succeeded"
    assert count(api, "PATCH deployments") == 1


async def test_a_zombie_that_wakes_after_a_takeover_does_not_act(api: ApiServer) -> None:
    """Its PATCH is held back until the successor has settled its record and is done."""
    held, go = asyncio.Event(), asyncio.Event()
    is_first = True

    def before(request: Received) -> Step | None:
        nonlocal is_first
        if is_undo(request) and is_first:
            is_first = False
            held.set()
            return Answer(status=599, before=go)
        return None

    api.before = before
    zombie = asyncio.create_task(undone(api, write_timeout=20.0, look_for_leaks=False))
    await asyncio.wait_for(held.wait(), 10)
    expire_lock(api)
    told = await undone(api, actor="bob", look_for_leaks=False)
    go.set()
    first = await zombie

    assert told.result == "succeeded", told.text
    assert first.result != "succeeded"
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]
    assert image(api) == GOOD
    assert holder(api) == ""
