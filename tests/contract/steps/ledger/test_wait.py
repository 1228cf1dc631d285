"""Waiting for another rollback, and handing over to somebody else what we may not do."""

from __future__ import annotations

import asyncio
import json
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.preflight.request import Request
from backout.steps.ledger.lease import Held, LockLost
from backout.steps.run import Limits
from tests.contract.api_server import ApiServer, is_undo, line_of
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    MARKER,
    QUICK,
    Told,
    control,
    count,
    deploy,
    expire_lock,
    holder,
    image,
    records,
    running,
    states,
    undone,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.contract.scripted_server import Answer, Received, Step

pytestmark = pytest.mark.slow
PATIENT = replace(QUICK, wait_lock=10.0, health=10.0)
EARLIER = "127.0.0.1:1/app:earlier"


async def beside_another(api: ApiServer, second: Awaitable[Told]) -> tuple[Told, Told]:
    """Let ann's rollback hang after its PATCH until bob waits for it; return what both told."""
    is_held, goes_on = asyncio.Event(), asyncio.Event()
    is_bobs = False

    def after(request: Received, _: Answer) -> Step | None:
        if is_undo(request) and not is_held.is_set():
            is_held.set()
            api.controller = lambda *_: None
        return None

    def before(request: Received) -> Step | None:
        nonlocal is_bobs
        if is_held.is_set() and line_of(request) == "GET leases" and not goes_on.is_set():
            looked = sum(line_of(r) == "GET leases" for r in api.requests)
            if is_bobs and looked > 4:
                goes_on.set()
        return None

    api.controller = lambda *_: None
    api.after, api.before = after, before
    first = asyncio.create_task(undone(api, look_for_leaks=False))
    await asyncio.wait_for(is_held.wait(), 10)
    is_bobs = True
    other = asyncio.ensure_future(second)
    await asyncio.wait_for(goes_on.wait(), 10)
    api.controller = control
    api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(nudge="1"))
    return await first, await other


async def test_after_another_rollback_succeeded_it_goes_no_further_back(api: ApiServer) -> None:
    first, second = await beside_another(
        api, undone(api, actor="bob", limits=PATIENT, look_for_leaks=False)
    )

    assert first.result == "succeeded", first.text
    assert second.result == "refused", second.text
    assert "already rolled back to revision 1" in second.message
    assert "by ann" in second.message
    assert len(second.of("waiting")) == 1
    assert "ann on here has held the lock" in second.of("waiting")[0]
    assert sum(is_undo(r) for r in api.requests) == 1


async def test_a_revision_that_was_named_is_gone_to_after_waiting(api: ApiServer) -> None:
    policy, limits = Request(to_revision=2, successes=1), replace(PATIENT, total=4.0)
    _, second = await beside_another(
        api, undone(api, actor="bob", limits=limits, policy=policy, look_for_leaks=False)
    )

    assert "known to be bad" in second.text
    assert image(api) == BAD


async def test_without_wait_lock_it_is_refused_at_once_with_who_since_when_and_which_step(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=False)
    told = await undone(api, actor="bob")

    assert told.result == "refused"
    (blocked,) = told.of("blocked")
    assert "ann on here has held the lock for" in blocked
    assert "about to patch (INTENT)" in blocked
    assert told.of("waiting") == []


async def test_when_time_is_up_the_holder_is_named_and_nothing_is_changed(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    told = await undone(api, actor="bob", limits=replace(QUICK, wait_lock=0.5))

    assert told.result == "refused", told.text
    assert "ann on here has held the lock" in told.of("blocked")[0]
    assert states(api) == ["INTENT"]


async def test_a_holder_that_died_is_recovered_from_and_the_undo_goes_on(api: ApiServer) -> None:
    """Its PATCH never landed, so that there is still everything to do."""
    await crashed(api, is_undo, applied=False)
    api.edit("leases", LEASE, lambda lease: lease["spec"].update(leaseDurationSeconds=1))
    told = await undone(api, actor="bob", limits=PATIENT)

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]


@pytest.mark.parametrize(
    ("landed", "ended"),
    [(False, ["NOT_APPLIED", "SUCCEEDED"]), (True, ["SUCCEEDED"])],
    ids=["it is settled", "it is gone on with"],
)
async def test_a_dead_holder_whose_times_lie_ahead_is_known_by_its_silence(
    api: ApiServer, *, landed: bool, ended: list[str]
) -> None:
    """By its times the lock would be alive for hours: another API server's clock wrote them."""
    await crashed(api, is_undo, applied=landed)
    ahead = (api.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"leaseDurationSeconds": 1, "renewTime": ahead}
    api.edit("leases", LEASE, lambda lease: lease["spec"].update(spec))
    told = await undone(api, actor="bob", limits=PATIENT)

    assert told.result == "succeeded", told.text
    assert states(api) == ended


async def test_an_undo_that_takes_over_does_not_wait(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    told = await undone(api, actor="bob", policy=Request(successes=1, take_over=True))

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]
    assert "settled by bob on here" in records(api)[0]["verdict"]


async def test_a_lock_that_was_not_confirmed_for_two_thirds_of_its_duration_is_not_acted_upon(
    api: ApiServer,
) -> None:
    """It lasts a millisecond: no write of it is confirmed in two thirds of that."""
    told = await undone(api, limits=replace(QUICK, lease=0.001))

    assert told.result == "not changed", told.text
    assert "is no longer acted upon" in told.message
    assert not any(is_undo(r) for r in api.requests)
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]


@pytest.mark.parametrize(("age", "is_fresh"), [(0.0, True), (39.0, True), (41.0, False)])
async def test_a_minutes_lock_is_acted_upon_for_forty_seconds(
    api: ApiServer, age: float, *, is_fresh: bool
) -> None:
    now = asyncio.get_running_loop().time()
    held = Held(epoch=1, record="op", confirmed=now - age)
    async with running(api, limits=Limits(lease=60.0)) as run:
        if is_fresh:
            held.check_fresh(run)
        else:
            with pytest.raises(LockLost, match="was not confirmed for 41 s"):
                held.check_fresh(run)


def handed_over(told: Told) -> list[dict[str, Any]]:
    """Return the operations of the patch in the line that was handed over."""
    (event,) = [e for e in told.events if e.kind == "hand_over"]
    words = shlex.split(str(event.fields["command"]))
    assert words[:4] == ["kubectl", "patch", "deployment/web", "-n"]
    assert "--type=json" in words
    ops: list[dict[str, Any]] = json.loads(words[words.index("-p") + 1])
    return ops


async def test_without_the_right_to_patch_the_line_is_handed_over(api: ApiServer) -> None:
    api.denied |= {"patch deployments"}
    told = await undone(api)
    ops = handed_over(told)
    web = api.get("deployments", "web")

    assert told.result == "refused"
    assert {o["path"]: o["value"] for o in ops if o["op"] == "replace"} == {
        "/metadata/uid": web["metadata"]["uid"],
        "/metadata/resourceVersion": web["metadata"]["resourceVersion"],
        "/spec/template": ops[2]["value"],
    }
    assert ops[2]["value"]["spec"]["containers"][0]["image"] == GOOD
    assert "pod-template-hash" not in json.dumps(ops)
    assert MARKER not in json.dumps(ops)


async def test_nothing_is_handed_over_where_more_stands_against_it(api: ApiServer) -> None:
    api.denied |= {"patch deployments"}
    api.edit("deployments", "web", lambda w: w["spec"].update(paused=True))
    told = await undone(api)

    assert told.result == "refused"
    assert told.of("hand_over") == []


async def test_the_holders_patch_is_handed_over_until_it_has_landed(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    before = handed_over(await undone(api, actor="bob"))
    expire_lock(api)
    await undone(api, actor="carol")
    deploy(api, "127.0.0.1:1/app:bad2")
    await crashed(api, is_undo, applied=True)
    after = await undone(api, actor="bob", policy=Request(limit=9))

    assert before[2]["value"]["spec"]["containers"][0]["image"] == GOOD
    assert after.result == "refused"
    assert after.of("hand_over") == []
    assert holder(api) != ""


@pytest.mark.parametrize("denied", [{"create leases"}, {"get leases", "update leases"}])
async def test_without_rights_on_leases_the_role_and_the_local_ledger_are_named(
    api: ApiServer, denied: set[str]
) -> None:
    api.denied |= denied
    told = await undone(api)
    (block,) = [e for e in told.events if e.kind == "blocked"]

    assert block.fields["id"] == "PF804"
    assert "coordination.k8s.io" in str(block.fields["remedy"])
    assert "--ledger local" in str(block.fields["remedy"])
    assert count(api, "PATCH deployments") == 0
