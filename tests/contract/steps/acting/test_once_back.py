"""Once back, not twice: however a run ended and however often it is repeated (decision 3).

The shop has two good revisions before the bad one: a second step back would go to `january`.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.kubernetes import template
from backout.core.preflight.request import Request
from tests.contract.api_server import ApiServer, failure, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Received, Step
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import (
    LEASE,
    LEDGER,
    QUICK,
    Told,
    deploy,
    expire_lock,
    holder,
    image,
    records,
    states,
    undone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.steps.run import Limits

JANUARY, GOOD, WORST = (f"127.0.0.1:1/app:{name}" for name in ("good", "fine", "bad2"))


@pytest.fixture
def api(api: ApiServer) -> ApiServer:
    """Give a shop with january, the good one, and a bad one now."""
    api.remove("replicasets", "web-2")
    deploy(api, GOOD)
    deploy(api, WORST)
    return api


async def interrupted(api: ApiServer, at: Callable[[Received], bool]) -> Told:
    """Cancel an undo after the answer to the first such request."""

    def after(request: Received, _: Answer) -> Step | None:
        if at(request):
            api.after = lambda *_: None
            task.cancel()
        return None

    api.after = after
    task = asyncio.create_task(undone(api))
    return await task


def undos(api: ApiServer) -> int:
    """Return how many PATCHes have moved the workload."""
    return sum(is_undo(r) for r in api.writes)


async def again_and_again(api: ApiServer, **settings: Any) -> list[Told]:
    """Do what a retry loop does: the same command three times more."""
    return [await undone(api, **settings) for _ in range(3)]


def policy(**asked: Any) -> Request:
    return Request(successes=2, limit=9, **asked)


@pytest.mark.parametrize("number", [None, 2], ids=["plain", "--to-revision"])
async def test_a_rollback_that_succeeded_is_not_repeated(
    api: ApiServer, number: int | None
) -> None:
    asked = policy(to_revision=number)
    assert (await undone(api, policy=asked)).result == "succeeded"
    told = await again_and_again(api, policy=asked)

    assert image(api) == GOOD
    assert undos(api) == 1
    assert {t.result for t in told} == {"refused"}
    assert all("already rolled back to revision 2" in t.message for t in told)
    (further,) = told[0].of("next")
    assert "--to-revision 1" in further
    assert states(api) == ["SUCCEEDED"]


@pytest.mark.parametrize(
    "number",
    [None, 4, pytest.param(2, marks=pytest.mark.every_case)],
    ids=["plain", "new number", "old number"],
)
@pytest.mark.parametrize("moment", ["killed", "killed while closing", "interrupted", "lost"])
async def test_a_rollback_that_was_left_open_is_gone_on_with_by_the_same_command(
    api: ApiServer, number: int | None, moment: str
) -> None:
    match moment:
        case "killed":
            await crashed(api, is_undo, applied=True)
        case "killed while closing":
            await crashed(api, lambda r: b"SUCCEEDED" in r.body, applied=False)
        case "interrupted":
            told = await interrupted(api, is_undo)
            assert told.result == "interrupted", told.text
            assert told.outcome is not None
            assert "backout resume deployment/web -n shop" in told.outcome.remedy
            assert states(api) == ["APPLIED"]
            assert holder(api) == ""
        case _:
            await lost(api)
            assert holder(api) == ""
    if holder(api):
        expire_lock(api)
    told = await undone(api, policy=policy(to_revision=number), actor="bob")

    assert told.result == "succeeded", told.text
    assert "rolled back to revision 2" in told.message
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""
    assert undos(api) == 1
    assert {t.result for t in await again_and_again(api)} == {"refused"}
    assert image(api) == GOOD


async def lost(api: ApiServer) -> None:
    """Let the PATCH land and everything after it fail, but for the Lease."""
    is_down = False

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal is_down
        is_down = is_down or is_undo(request)
        return Close() if is_undo(request) else None

    def before(request: Received) -> Step | None:
        return failure(500) if is_down and line_of(request) == "PATCH deployments" else None

    api.before, api.after = before, after
    told = await undone(api, limits=replace(QUICK, unclear=0.3))
    api.before, api.after = lambda _: None, lambda *_: None
    assert told.result == "undecided", told.text
    assert told.outcome is not None
    assert "backout resume" in told.outcome.remedy
    assert states(api) == ["INTENT"]


async def test_a_time_out_leaves_it_to_be_gone_on_with(api: ApiServer) -> None:
    control, api.controller = api.controller, lambda *_: None
    late = await undone(api, limits=replace(QUICK, total=2.0))
    assert late.result == "undecided", late.text
    assert states(api) == ["APPLIED"]
    assert holder(api) == ""
    assert late.outcome is not None
    assert "backout resume" in late.outcome.remedy
    api.controller = control
    api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(nudge="1"))
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert undos(api) == 1


async def test_a_429_while_closing_costs_nothing(api: ApiServer) -> None:
    refused = 0

    def before(request: Received) -> Step | None:
        nonlocal refused
        if b"SUCCEEDED" in request.body and refused < 2:
            refused += 1
            return failure(429, "TooManyRequests", "try again", Retry_After="0")
        return None

    api.before = before
    told = await undone(api)

    assert refused == 2
    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""


async def test_another_revision_that_is_named_abandons_an_open_rollback(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    told = await undone(api, policy=policy(to_revision=1))

    assert told.result == "succeeded", told.text
    assert image(api) == JANUARY
    assert states(api) == ["UNDECIDED", "SUCCEEDED"]
    assert records(api)[0]["verdict"].startswith("abandoned for revision 1")


async def test_a_restart_in_between_changes_nothing(api: ApiServer) -> None:
    await undone(api)
    api.edit("deployments", "web", _restart)
    told = await undone(api)

    assert "already rolled back to revision 2" in told.message, told.text
    assert [w.partition(" is at ")[0] for w in told.of("workload")] == ["deployment/web"]
    assert undos(api) == 1


async def test_a_restart_of_an_open_one_is_watched_as_it_is_now(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    api.edit("deployments", "web", _restart)
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert undos(api) == 1


def _restart(web: dict[str, Any]) -> None:
    pods = web["spec"]["template"]["metadata"]
    pods.setdefault("annotations", {})["kubectl.kubernetes.io/restartedAt"] = "2026-11-28T03:00:00Z"


def stamps(resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Do what a webhook does that was installed after the target ran: pin, and note the time."""
    if resource == "deployments":
        pods = obj["spec"]["template"]
        notes = pods["metadata"].setdefault("annotations", {})
        notes["stamp.example/at"] = str(time.monotonic_ns())
        pods["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    return obj


async def test_what_a_webhook_makes_of_the_patch_is_watched_and_remembered(api: ApiServer) -> None:
    """No dry run can have told it: each answer has a stamp of its own."""
    api.admitted = stamps
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert "superseded" not in told.text
    assert {t.result for t in await again_and_again(api)} == {"refused"}
    assert undos(api) == 1
    now = template.digest(api.get("deployments", "web")["spec"]["template"])
    (record,) = records(api)
    assert record["to"]["stored"] == now
    ledger = json.loads(api.get("leases", LEASE)["metadata"]["annotations"][LEDGER])
    assert ledger["memory"][now]["lastHealthyAt"]


async def test_a_run_that_died_behind_a_webhook_is_gone_on_with(api: ApiServer) -> None:
    api.admitted = stamps
    await crashed(api, is_undo, applied=True)
    assert "stored" not in records(api)[0]["to"]
    expire_lock(api)
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert undos(api) == 1
    assert states(api) == ["SUCCEEDED"]


async def test_after_a_failed_one_the_way_back_is_told_first_and_is_open(api: ApiServer) -> None:
    control, api.controller = api.controller, lambda *_: None
    api.edit("deployments", "web", lambda w: w["spec"].update(progressDeadlineSeconds=1))
    control(api, api.get("deployments", "web"))
    failed = await undone(api)
    assert failed.result == "failed", failed.text
    api.controller = control
    api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(nudge="1"))
    told = await undone(api)

    assert told.result == "refused"
    assert "already rolled back to revision 2" in told.message
    assert "the last rollback, to revision 2, failed" in told.message
    assert "where it was before" in told.of("next")[0]
    assert "--to-revision 3" in told.of("next")[0]
    back = await undone(api, policy=Request(successes=1, limit=1, to_revision=3, reason="back"))
    assert "rate limit" not in back.text
    assert "known to be bad" not in back.text
    assert image(api) == WORST


async def test_a_deployment_in_between_makes_it_an_undo_again(api: ApiServer) -> None:
    await undone(api)
    deploy(api, "127.0.0.1:1/app:bad3")
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED", "SUCCEEDED"]


async def test_beyond_the_breakers_window_a_healthy_one_needs_a_reason(api: ApiServer) -> None:
    await undone(api)
    _age(api, timedelta(hours=2))
    told = await undone(api)

    assert told.result == "refused", told.text
    assert "PF807" in told.message
    assert image(api) == GOOD
    further = await undone(api, policy=policy(reason="INC-7"))
    assert further.result == "succeeded", further.text
    assert image(api) == JANUARY


async def test_beyond_the_breakers_window_an_unwell_one_is_an_ordinary_undo(
    api: ApiServer,
) -> None:
    await undone(api)
    _age(api, timedelta(hours=2))
    for pod in api.all("pods"):
        api.edit("pods", pod["metadata"]["name"], lambda p: p["status"].update(conditions=[]))
    told = await undone(api)

    assert image(api) == JANUARY, told.text


def _age(api: ApiServer, by: timedelta) -> None:
    """Let everything in the ledger have happened so much earlier."""
    then = (api.now() - by).strftime("%Y-%m-%dT%H:%M:%SZ")

    def change(lease: dict[str, Any]) -> None:
        ledger = json.loads(lease["metadata"]["annotations"][LEDGER])
        for record in ledger["records"]:
            record["intentAt"] = then
        lease["metadata"]["annotations"][LEDGER] = json.dumps(ledger)

    api.edit("leases", LEASE, change)


async def test_a_live_lock_is_not_expired_by_the_clock_of_another_api_server(
    api: ApiServer,
) -> None:
    """Two API servers whose clocks are more than a lease apart answer in turn."""
    await crashed(api, is_undo, applied=False)

    def by_turns(_: Received) -> None:
        api.moved_by = timedelta(minutes=5) - api.moved_by

    api.before = by_turns
    told = await undone(api, actor="bob")

    assert told.result == "refused", told.text
    assert "another rollback is under way" in told.text
    assert states(api) == ["INTENT"]


@pytest.mark.parametrize("number", [8, pytest.param(40, marks=pytest.mark.every_case)])
async def test_many_jobs_at_once_move_it_once(api: ApiServer, number: int) -> None:
    patient = {"wait_lock": 20.0, "health": 10.0, "observe": 10.0, "pod_answer": 10.0}
    limits: Limits = replace(QUICK, **patient)
    jobs = (
        undone(api, actor=f"job {n}", limits=limits, policy=policy(), look_for_leaks=False)
        for n in range(number)
    )
    told = await asyncio.gather(*jobs)

    assert image(api) == GOOD, [t.text for t in told]
    assert undos(api) == 1
    assert [t.result for t in told].count("succeeded") == 1, [t.text for t in told]
    assert states(api).count("SUCCEEDED") == 1


async def test_a_plan_made_before_another_rollback_was_seen_is_made_again(api: ApiServer) -> None:
    """Its Lease was read before the other's intent, and its workload after the other's PATCH."""
    is_first = True

    async def before(request: Received) -> Step | None:
        nonlocal is_first
        if line_of(request) == "GET deployments" and is_first:
            is_first = False
            assert (await undone(api, actor="other", look_for_leaks=False)).result == "succeeded"
        return None

    api.before = before
    told = await undone(api, look_for_leaks=False)

    assert image(api) == GOOD, told.text
    assert undos(api) == 1
    assert told.result == "refused"
    assert "already rolled back to revision 2" in told.message
