"""The model's counterexamples, played with two real runs: each rule holds in the code as well.

ann rolls back; bob finds her lock expired at the worst moment, takes over and settles her record.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from tests.contract.api_server import failure, is_undo, line_of
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    LEDGER,
    MARKER,
    deploy,
    expire_lock,
    image,
    records,
    states,
)
from tests.protocol.stage import is_lease_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step
    from tests.protocol.stage import Stage


def is_read_of_a_further_attempt(number: int) -> Callable[[Received], bool]:
    """Return what tells the n-th read of workload or Lease after the first PATCH has left."""
    reads = 0
    is_sent = False

    def wanted(request: Received) -> bool:
        nonlocal reads, is_sent
        is_sent = is_sent or is_undo(request)
        if is_sent and line_of(request) in {"GET deployments", "GET leases"}:
            reads += 1
            return reads == number
        return False

    return wanted


def meets_a_409(api: ApiServer, stage: Stage) -> None:
    """Let the status move just before the first PATCH: nothing is written, and all is read anew."""
    stage.meanwhile = _once(is_undo, lambda: _move_status(api))


async def test_a_run_whose_lock_is_taken_between_plan_and_intent_writes_none(
    api: ApiServer, stage: Stage
) -> None:
    """The first attempt: its compare-and-swap is the check of the ledger."""
    intent = stage.hold(is_lease_write)
    first = stage.starts("ann")
    await intent.arrives()
    other = await stage.runs("bob")
    intent.opens()
    told = await first

    assert other.result == "succeeded", other.text
    assert stage.broken == []
    assert stage.patches == 1
    assert states(api) == ["SUCCEEDED"]
    assert told.result == "refused", told.text


async def test_a_run_whose_lock_is_taken_behind_its_intent_does_not_land_its_patch(
    api: ApiServer, stage: Stage
) -> None:
    """The first attempt again: its PATCH carries the version from before bob's fence."""
    written = stage.hold(is_lease_write, answer=True)
    first = stage.starts("ann")
    await written.arrives()
    await stage.is_succeeded()
    written.opens()
    told = await first

    assert stage.broken == []
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert told.result == "not changed", told.text


async def test_a_run_whose_lock_is_taken_between_its_last_two_reads_sends_nothing_more(
    api: ApiServer, stage: Stage
) -> None:
    """The order: read the other way round, its workload would be newer than bob's fence."""
    last_read = stage.hold(is_read_of_a_further_attempt(2))
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await last_read.arrives()
    await stage.is_succeeded()
    last_read.opens()
    told = await first

    assert stage.broken == []
    assert stage.patches == 1
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert told.result == "not changed", told.text


async def test_a_run_whose_lock_is_taken_after_it_was_checked_does_not_land_its_patch(
    api: ApiServer, stage: Stage
) -> None:
    """The order again: the version that its PATCH carries is older than the check."""
    checked = stage.hold(is_read_of_a_further_attempt(2), answer=True)
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await checked.arrives()
    await stage.is_succeeded()
    checked.opens()
    told = await first

    assert stage.broken == []
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert told.result == "not changed", told.text


async def test_a_patch_that_is_under_way_fails_once_a_successor_has_looked_for_it(
    api: ApiServer, stage: Stage
) -> None:
    """The fence: without it the PATCH lands behind a record that says it never will."""
    under_way = stage.hold(is_undo)
    first = stage.starts("ann")
    await under_way.arrives()
    await stage.is_succeeded()
    assert states(api) == ["NOT_APPLIED"]
    under_way.opens()
    await first

    assert stage.broken == []
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]


async def test_a_patch_that_is_under_way_fails_once_its_own_run_has_looked_for_it(
    api: ApiServer, stage: Stage
) -> None:
    """The fence again: ann waits no longer for the answer, and says that nothing was changed."""
    under_way = stage.hold(is_undo)
    is_over = stage.hold(is_undo, answer=True)
    told = await stage.runs("ann", write_timeout=0.5)
    assert told.result == "not changed", told.text
    assert "did not land" in told.message
    under_way.opens()
    await is_over.arrives()
    is_over.opens()

    assert stage.broken == []
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert stage.patches == 1


async def test_a_run_that_meets_a_409_and_has_lost_its_lock_sends_nothing_more(
    api: ApiServer, stage: Stage
) -> None:
    """The recheck: its next read is newer than bob's fence, and its PATCH would land."""
    after_409 = stage.hold(lambda request: stage.patches == 1 and not is_undo(request))
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await after_409.arrives()
    await stage.is_succeeded()
    after_409.opens()
    told = await first

    assert stage.broken == []
    assert stage.patches == 1
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert told.result == "not changed", told.text


async def test_a_patch_that_landed_and_whose_marker_was_wiped_is_not_called_not_applied(
    api: ApiServer, stage: Stage
) -> None:
    """The generation: an absent marker proves nothing once somebody else has written."""
    api.controller = lambda *_: None
    answer = stage.hold(is_undo, answer=True)
    first = stage.starts("ann")
    await answer.arrives()
    api.edit("deployments", "web", _put_manifest)
    await stage.is_succeeded()
    answer.opens()
    await first

    assert stage.broken == []
    assert states(api) == ["UNDECIDED"]


async def test_a_spec_that_changes_between_plan_and_act_is_planned_again(
    api: ApiServer, stage: Stage
) -> None:
    """The generation, in the act: an intent speaks of the very workload that it was made for."""
    read = stage.hold(is_read_of_a_further_attempt(1))
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await read.arrives()
    api.edit("deployments", "web", lambda web: web["spec"].update(minReadySeconds=1))
    read.opens()
    told = await first

    assert stage.broken == []
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"], told.text
    before, intended = (r["from"]["generation"] for r in records(api))
    assert intended > before


async def test_an_intent_that_comes_after_anothers_is_not_written(
    api: ApiServer, stage: Stage
) -> None:
    """The compare-and-swap: what ann judged the breaker by is no longer what she would replace."""
    ledger = {LEDGER: '{"schema": 1, "records": []}'}
    api.add("leases", {"metadata": {"name": LEASE, "annotations": ledger}, "spec": {}})
    intent = stage.hold(is_lease_write)
    first = stage.starts("ann")
    await intent.arrives()
    other = await stage.runs("bob")
    assert other.result == "succeeded", other.text
    deploy(api, "127.0.0.1:1/app:bad2")
    intent.opens()
    told = await first

    assert stage.broken == []
    assert told.of("blocked") == ["rollback rate limit exceeded — manual intervention required"]
    assert states(api) == ["SUCCEEDED"]
    assert stage.patches == 1
    assert "planning again" not in told.text


async def test_a_hold_of_another_epoch_is_not_ours_whoever_its_holder_is(
    api: ApiServer, stage: Stage
) -> None:
    """A Lease put back from a copy names us, but hands have changed since."""
    last_read = stage.hold(is_read_of_a_further_attempt(2))
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await last_read.arrives()
    api.edit("leases", LEASE, _change_hands_and_back)
    last_read.opens()
    await first

    assert stage.patches == 1
    assert image(api) == BAD


async def test_a_record_that_was_closed_under_us_stops_the_patch(
    api: ApiServer, stage: Stage
) -> None:
    last_read = stage.hold(is_read_of_a_further_attempt(2))
    meets_a_409(api, stage)
    first = stage.starts("ann")
    await last_read.arrives()
    api.edit("leases", LEASE, _close_record)
    last_read.opens()
    await first

    assert stage.patches == 1
    assert stage.broken == []
    assert states(api) == ["NOT_APPLIED"]


def _once(
    wanted: Callable[[Received], bool], act: Callable[[], None]
) -> Callable[[Received], None]:
    """Return what acts at the first request that is wanted."""
    acts: Iterator[Callable[[], None]] = iter([act])

    def meanwhile(request: Received) -> None:
        if wanted(request):
            next(acts, lambda: None)()

    return meanwhile


def _move_status(api: ApiServer) -> None:
    api.edit("deployments", "web", lambda web: web["status"].update(readyReplicas=7))


def _put_manifest(web: dict[str, Any]) -> None:
    """Do what a pipeline that knows nothing of us does: its own manifest, and nothing else."""
    web["metadata"]["annotations"].pop(MARKER)
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "127.0.0.1:1/app:bad3"


def _change_hands_and_back(lease: dict[str, Any]) -> None:
    lease["spec"]["leaseTransitions"] += 1


def _close_record(lease: dict[str, Any]) -> None:
    notes = lease["metadata"]["annotations"]
    notes[LEDGER] = notes[LEDGER].replace('"INTENT"', '"NOT_APPLIED"')


async def test_three_reads_that_fail_switch_neither_lock_nor_breaker_off(
    api: ApiServer, stage: Stage
) -> None:
    """What is judged is what the compare-and-swap read, never an older failure to read it."""
    assert (await stage.runs("ann")).result == "succeeded"
    deploy(api, "127.0.0.1:1/app:bad2")
    fails = iter([True] * 3)
    before = api.before

    async def failing(request: Received) -> Step | None:
        if line_of(request) == "GET leases" and next(fails, False):
            return failure(429, "TooManyRequests", "busy", Retry_After="0")
        held = before(request)
        return await held if inspect.isawaitable(held) else held

    api.before = failing
    told = await stage.runs("bob")

    assert next(fails, None) is None, "the preflight could not read the Lease"
    assert stage.broken == []
    assert told.result in {"refused", "not changed"}, told.text
    assert stage.patches == 1
    assert states(api) == ["SUCCEEDED"]


async def test_a_live_run_that_is_taken_for_dead_is_followed_by_no_second_step(
    api: ApiServer, stage: Stage
) -> None:
    """As from another PID namespace, or by a clock that is wrong: bob takes the lock of ann."""
    control, api.controller = api.controller, lambda *_: None
    landed = stage.hold(is_undo, answer=True)
    first = stage.starts("ann")
    await landed.arrives()
    expire_lock(api)
    landed.opens()
    api.controller = control
    api.edit("deployments", "web", lambda web: web["metadata"]["annotations"].update(nudge="1"))
    other = await stage.runs("bob")
    told = await first

    assert stage.broken == []
    assert stage.patches == 1
    assert image(api) == GOOD
    assert "SUCCEEDED" in states(api), [told.text, other.text]
