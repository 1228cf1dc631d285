"""Going on with a rollback that was left open: taken over, settled for certain, watched."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.errors import BackoutError
from backout.core.outcome import Outcome, Result
from backout.core.preflight.request import Request
from backout.steps.resume import resume
from tests.contract.api_server import ApiServer, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Received, Step
from tests.contract.steps.crash import crashed, is_fence
from tests.contract.steps.shop import (
    ALIVE,
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
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.steps.run import Identity

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


async def resumed(api: ApiServer, *, identity: Identity | None = None, **settings: Any) -> Told:
    """Carry out one whole resume; an error is told as the command does."""
    told = Told()
    async with running(api, told, **{"actor": "bob", **settings}) as run, asyncio.timeout(30):
        one = within(run, identity=identity) if identity is not None else run
        try:
            told.outcome = await resume(one)
        except BackoutError as error:
            told.outcome = Outcome(result=Result.NOT_CHANGED, message=error.message)
    return told


def patches(api: ApiServer) -> int:
    return sum(is_undo(r) for r in api.requests)


async def test_nothing_is_done_where_nothing_was_left_open(api: ApiServer) -> None:
    first = await resumed(api)
    await undone(api)
    writes = count(api, "PUT leases")
    second = await resumed(api)

    assert (first.result, second.result) == ("settled", "settled")
    assert "is left open" in first.message
    assert "the last one succeeded" in second.message
    assert count(api, "PUT leases") == writes


async def test_a_patch_that_never_landed_is_closed_and_nothing_is_changed(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "refused", told.text
    assert "was never applied: closed as NOT_APPLIED; nothing was changed" in told.message
    assert states(api) == ["NOT_APPLIED"]
    assert image(api) == BAD
    assert holder(api) == ""


async def test_a_patch_that_landed_is_watched_to_its_end_and_asked_for_its_health(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    sent = patches(api)
    told = await resumed(api)

    assert told.result == "succeeded", told.text
    assert "rolled back to revision 1" in told.message
    assert states(api) == ["SUCCEEDED"]
    assert records(api)[0]["health"] == "Healthy"
    assert image(api) == GOOD
    assert holder(api) == ""
    assert patches(api) == sent
    assert told.of("resumed") != []


async def test_a_resumed_rollback_counts_for_the_breaker(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    await resumed(api)
    deploy(api, "127.0.0.1:1/app:bad2")
    told = await undone(api, policy=Request(limit=1, successes=1))

    assert told.of("blocked") == ["rollback rate limit exceeded — manual intervention required"]


async def test_a_rollout_that_fails_while_it_is_resumed_is_told(api: ApiServer) -> None:
    api.controller = lambda *_: None
    await crashed(api, is_undo, applied=True)
    api.edit("deployments", "web", lambda w: w["spec"].update(progressDeadlineSeconds=1))
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "failed", told.text
    assert states(api) == ["FAILED"]
    assert holder(api) == ""


async def test_where_somebody_has_deployed_something_else_it_is_not_watched(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=True)
    deploy(api, "127.0.0.1:1/app:hotfix")
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "undecided", told.text
    assert "asks for something else since" in told.message
    assert states(api) == ["UNDECIDED"]
    assert image(api) == "127.0.0.1:1/app:hotfix"
    assert holder(api) == ""


async def test_a_marker_that_was_wiped_makes_it_undecided(api: ApiServer) -> None:
    api.controller = lambda *_: None
    await crashed(api, is_undo, applied=True)
    api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].pop(MARKER))
    deploy(api, "127.0.0.1:1/app:bad2")
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "undecided", told.text
    assert "cannot be told any more" in told.message
    assert states(api) == ["UNDECIDED"]
    assert holder(api) == ""


@pytest.mark.slow
async def test_a_living_holder_is_left_alone_and_named(api: ApiServer) -> None:
    """Its Lease is renewed whenever it is looked at."""
    await crashed(api, is_undo, applied=True)
    seconds = 0

    def renew(request: Received) -> Step | None:
        nonlocal seconds
        if line_of(request) == "GET leases":
            seconds += 1
            now = (api.now() + timedelta(seconds=seconds)).strftime(STAMP)
            spec = {"renewTime": now, "leaseDurationSeconds": 1}
            api.edit("leases", LEASE, lambda lease: lease["spec"].update(spec))
        return None

    api.before = renew
    told = await resumed(api)

    assert told.result == "refused", told.text
    assert "ann on here has held the lock" in told.message
    assert "its holder is alive" in told.message
    assert "--take-over" in (told.outcome.remedy if told.outcome else "")
    assert states(api) == ["INTENT"]
    assert not any(is_fence(r) for r in api.requests)


@pytest.mark.parametrize(
    ("deadline", "result", "words"),
    [(600, "settled", "SUCCEEDED, Complete, Healthy"), (1, "failed", "FAILED, Failed")],
)
async def test_one_that_ends_by_itself_while_it_is_waited_for_is_told_as_it_ended(
    api: ApiServer, deadline: int, result: str, words: str
) -> None:
    api.edit("deployments", "web", lambda w: w["spec"].update(progressDeadlineSeconds=deadline))
    api.controller = lambda *_: None
    waiting: list[asyncio.Task[Told]] = []
    looks = 0

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal looks
        if is_undo(request):
            waiting.append(asyncio.create_task(resumed(api, look_for_leaks=False)))
        looks += bool(waiting) and line_of(request) == "GET leases"
        if looks == 2 and deadline > 1:
            looks += 1
            api.controller = control
            api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(n="1"))
        return None

    api.after = after
    first = await undone(api, look_for_leaks=False)
    told = await waiting[0]

    assert told.of("waiting") != [], first.text
    assert told.result == result, told.text
    assert "that rollback, of ann to revision 1, ended by itself: " + words in told.message
    assert "left behind" not in told.text
    assert not any(is_fence(r) for r in api.requests)


async def test_a_silent_holder_is_known_by_our_own_clock_whatever_its_times_say(
    api: ApiServer,
) -> None:
    await crashed(api, is_undo, applied=True)
    tomorrow = (api.now() + timedelta(days=1)).strftime(STAMP)
    spec = {"renewTime": tomorrow, "leaseDurationSeconds": 1}
    api.edit("leases", LEASE, lambda lease: lease["spec"].update(spec))
    told = await resumed(api)

    assert told.result == "succeeded", told.text
    assert told.of("waiting") != []
    assert states(api) == ["SUCCEEDED"]


async def test_take_over_does_not_wait_and_says_who_did(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    told = await resumed(api, policy=Request(successes=1, take_over=True))

    assert told.of("waiting") == []
    assert states(api) == ["NOT_APPLIED"]
    assert "settled by bob on here" in records(api)[0]["verdict"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("there", "is_taken"),
    [
        ({}, True),
        ({"boot_id": "another"}, False),
        ({"host": "elsewhere"}, False),
        ({"boot_id": ""}, False),
        ({"namespace": "another"}, False),
        ({"namespace": ""}, False),
    ],
    ids=str,
)
async def test_only_a_dead_process_of_the_same_boot_is_taken_over_at_once(
    api: ApiServer, there: dict[str, Any], *, is_taken: bool
) -> None:
    await crashed(api, is_undo, applied=False)
    _set_holder_pid(api, 2**22 + 1)
    looks = count(api, "GET leases")
    now = api.now().strftime(STAMP)
    spec = {"renewTime": now, "leaseDurationSeconds": 2}
    api.edit("leases", LEASE, lambda lease: lease["spec"].update(spec))
    told = await resumed(api, identity=replace(ALIVE, actor="bob", **there))

    assert (told.of("waiting") == []) is is_taken
    assert count(api, "GET leases") > looks
    assert states(api) == ["NOT_APPLIED"]


def _set_holder_pid(api: ApiServer, pid: int) -> None:
    """No Linux gives a process a number above 2**22 (proc(5), pid_max)."""

    def change(lease: dict[str, Any]) -> None:
        notes = lease["metadata"]["annotations"]
        text = notes["backout.dev/ledger"]
        assert f'"pid":{ALIVE.pid},' in text
        notes["backout.dev/ledger"] = text.replace(f'"pid":{ALIVE.pid},', f'"pid":{pid},')

    api.edit("leases", LEASE, change)


@pytest.mark.slow
async def test_of_two_that_resume_at_once_one_settles_and_no_word_is_false(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    expire_lock(api)
    two = [resumed(api, actor=name, look_for_leaks=False) for name in ("bob", "carol")]
    told = await asyncio.gather(*two)

    assert states(api) == ["NOT_APPLIED"]
    assert holder(api) == ""
    assert sum("never applied" in t.message for t in told) == 1, [t.text for t in told]


@pytest.mark.slow
@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("number", range(1, 7))
async def test_each_lost_answer_of_a_write_leaves_a_true_end(
    api: ApiServer, number: int, *, applied: bool
) -> None:
    await crashed(api, is_undo, applied=applied)
    expire_lock(api)
    api.after = _losing(number)
    told = await resumed(api, write_timeout=0.3)

    assert image(api) == (GOOD if applied else BAD)
    assert states(api) == (["SUCCEEDED"] if applied else ["NOT_APPLIED"]), told.text
    assert holder(api) == ""


def _losing(number: int) -> Callable[[Received, Answer], Step | None]:
    seen = 0

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal seen
        if line_of(request) in {"PUT leases", "PATCH deployments"}:
            seen += 1
            return Close() if seen == number else None
        return None

    return after


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 15))
async def test_an_interruption_at_any_request_leaves_no_false_word(
    api: ApiServer, number: int
) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    seen = 0
    task = asyncio.create_task(resumed(api, look_for_leaks=False))

    def before(_: Received) -> Step | None:
        nonlocal seen
        seen += 1
        if seen == number:
            task.cancel()
        return None

    api.before = before
    told = None
    with suppress(asyncio.CancelledError):
        told = await task

    assert image(api) == GOOD
    assert states(api)[0] in {"INTENT", "APPLIED", "UNDECIDED", "SUCCEEDED"}
    assert holder(api) in {"", records(api)[0]["op"]}, "the dead run's lock, or nobody's"
    if told is not None and told.result == "succeeded":
        assert states(api) == ["SUCCEEDED"]


async def test_an_api_server_that_goes_away_leaves_the_record_open(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    is_down = False

    def before(request: Received) -> Step | None:
        nonlocal is_down
        is_down = is_down or is_fence(request)
        return Close() if is_down else None

    api.before = before
    told = await resumed(api, limits=replace(QUICK, wind_down=0.5))

    assert told.result == "not changed", told.text
    assert "left open and cannot be settled" in told.message
    assert states(api) == ["INTENT"]
