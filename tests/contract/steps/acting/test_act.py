"""The PATCH and its answer: whatever happens to them, the last word and the record are true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.api_server import ApiServer, failure, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Hang, Received, Step
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    MARKER,
    count,
    deploy,
    holder,
    image,
    records,
    states,
    undone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PATCH = "PATCH deployments"
FINE = "127.0.0.1:1/app:fine"
HTML = Answer(status=502, body=b"<html>bad gateway</html>", headers={"Content-Type": "text/html"})
UNCLEAR = {
    "closed": Close(),
    "reset": Close(reset=True),
    "hanging": Hang(),
    "502 of a proxy": HTML,
    "500": failure(500, "InternalError", "etcdserver: leader changed"),
    "504": failure(504, "Timeout", "request did not complete within the allotted timeout"),
    "cut JSON": Answer(body=b'{"kind":"Depl', headers={"Content-Type": "application/json"}),
}
unclear = pytest.mark.parametrize("step", UNCLEAR.values(), ids=UNCLEAR.keys())


def undos(api: ApiServer) -> int:
    return sum(is_undo(r) for r in api.requests)


def lost(step: Step) -> Callable[[Received, Answer], Step | None]:
    """Lose the answer of our PATCH after it was applied."""
    return lambda request, _: step if is_undo(request) else None


@unclear
async def test_a_patch_that_landed_while_its_answer_was_lost_is_found_and_watched(
    api: ApiServer, step: Step
) -> None:
    api.after = lost(step)
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""
    assert undos(api) == 1


@unclear
async def test_a_patch_that_never_landed_is_told_so_and_not_sent_again(
    api: ApiServer, step: Step
) -> None:
    api.before = lambda request: step if is_undo(request) else None
    told = await undone(api)

    assert told.result == "not changed", told.text
    assert "nothing was changed" in told.message
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]
    assert holder(api) == ""
    assert undos(api) == 1


@pytest.mark.slow
async def test_an_api_server_that_stays_away_leaves_the_intent_open_and_says_so(
    api: ApiServer,
) -> None:
    down = False

    def before(request: Received) -> Step | None:
        nonlocal down
        down = down or is_undo(request)
        return Close() if down else None

    api.before = before
    told = await undone(api)

    assert told.result == "undecided"
    assert "not known whether" in told.message
    assert states(api) == ["INTENT"]
    assert undos(api) == 1


async def test_an_api_server_that_comes_back_in_time_decides_it(api: ApiServer) -> None:
    refused = 0

    def before(request: Received) -> Step | None:
        nonlocal refused
        if undos(api) and refused < 5 and not is_undo(request):
            refused += 1
            return failure(503, "ServiceUnavailable", "starting")
        return None

    api.before, api.after = before, lost(Close())
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert refused == 5


async def test_a_fence_that_meets_a_conflict_does_not_send_the_patch_again(
    api: ApiServer,
) -> None:
    conflicts = 0

    def before(request: Received) -> Step | None:
        nonlocal conflicts
        if line_of(request) == PATCH and not is_undo(request) and conflicts == 0:
            conflicts += 1
            return failure(409, "Conflict", "the object has been modified")
        return None

    api.before, api.after = before, lost(Close())
    told = await undone(api)

    assert conflicts == 1
    assert undos(api) == 1
    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]


async def test_a_lost_answer_of_the_fence_is_survived(api: ApiServer) -> None:
    fences = 0

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal fences
        if is_undo(request):
            return Close()
        if line_of(request) == PATCH:
            fences += 1
            return Close() if fences == 1 else None
        return None

    api.after = after
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert undos(api) == 1


async def test_a_marker_that_a_third_party_wiped_before_it_was_copied_is_undecided(
    api: ApiServer,
) -> None:
    def after(request: Received, _: Answer) -> Step | None:
        if not is_undo(request):
            return None
        for resource in ("deployments", "replicasets"):
            for found in api.all(resource):
                api.edit(resource, found["metadata"]["name"], _wipe)
        return Close()

    api.after = after
    told = await undone(api)

    assert told.result == "undecided", told.text
    assert states(api) == ["UNDECIDED"]
    assert holder(api) == ""


def _wipe(obj: dict[str, Any]) -> None:
    obj["metadata"].get("annotations", {}).pop(MARKER, None)


async def test_a_marker_that_only_the_replica_set_still_carries_is_found(api: ApiServer) -> None:
    def after(request: Received, _: Answer) -> Step | None:
        if not is_undo(request):
            return None
        api.edit("deployments", "web", _wipe)
        return Close()

    api.after = after
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]


async def test_a_plain_refusal_of_the_patch_changes_nothing_and_closes_the_record(
    api: ApiServer,
) -> None:
    api.before = lambda r: (
        failure(422, "Invalid", 'unknown field "spec.template.spec.futureField"')
        if is_undo(r)
        else None
    )
    told = await undone(api)

    assert told.result == "not changed"
    assert "futureField" in told.message
    assert states(api) == ["NOT_APPLIED"]
    assert holder(api) == ""


async def test_a_status_that_moved_between_read_and_patch_is_no_reason_to_give_up(
    api: ApiServer,
) -> None:
    moves = 0

    def before(request: Received) -> Step | None:
        nonlocal moves
        if is_undo(request) and moves < 2:
            moves += 1
            api.edit("deployments", "web", lambda w: w["status"].update(readyReplicas=10 + moves))
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text
    versions = [
        next(op["value"] for op in r.json if op["path"] == "/metadata/resourceVersion")
        for r in api.requests
        if is_undo(r)
    ]
    assert len(versions) == 3
    assert len(set(versions)) == 3
    assert len(told.of("triggered")) == 1


async def test_a_409_storm_ends_bounded_and_unchanged(api: ApiServer) -> None:
    api.before = lambda r: failure(409, "Conflict", "modified") if is_undo(r) else None
    told = await undone(api)

    assert told.result == "not changed"
    assert undos(api) <= 6
    assert states(api) == ["NOT_APPLIED"]
    assert image(api) == BAD


async def test_a_template_that_changes_between_read_and_patch_is_planned_again(
    api: ApiServer,
) -> None:
    is_changed = False

    def before(request: Received) -> Step | None:
        nonlocal is_changed
        if is_undo(request) and not is_changed:
            is_changed = True
            deploy(api, "127.0.0.1:1/app:bad-hotfix")
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert states(api) == ["NOT_APPLIED", "SUCCEEDED"]
    assert records(api)[1]["from"]["images"] == {"app": "127.0.0.1:1/app:bad-hotfix"}
    assert len(told.of("triggered")) == 1, "scripts count it"


async def test_a_plan_that_is_made_again_and_goes_elsewhere_is_announced_as_what_it_is(
    api: ApiServer,
) -> None:
    is_changed = False

    def before(request: Received) -> Step | None:
        nonlocal is_changed
        if is_undo(request) and not is_changed:
            is_changed = True
            deploy(api, FINE)
            deploy(api, "127.0.0.1:1/app:bad-hotfix")
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert image(api) == FINE
    first, second = told.of("triggered")
    assert "to revision=1," in first
    assert "to revision=3," in second


async def test_a_deployment_that_is_recreated_between_read_and_patch_is_not_touched(
    api: ApiServer,
) -> None:
    is_changed = False

    def before(request: Received) -> Step | None:
        nonlocal is_changed
        if is_undo(request) and not is_changed:
            is_changed = True
            spec = api.get("deployments", "web")["spec"]
            for resource in ("deployments", "replicasets", "pods"):
                for found in api.all(resource):
                    api.remove(resource, found["metadata"]["name"])
            api.add("deployments", {"metadata": {"name": "web", "annotations": {}}, "spec": spec})
        return None

    api.before = before
    told = await undone(api)

    assert told.result in {"refused", "not changed"}, told.text
    assert image(api) == BAD
    assert states(api)[0] == "NOT_APPLIED"


async def test_a_lease_that_is_gone_before_a_further_attempt_stops_it(api: ApiServer) -> None:
    def before(request: Received) -> Step | None:
        if is_undo(request) and api.find("leases", LEASE):
            api.remove("leases", LEASE)
            return failure(409, "Conflict", "the object has been modified")
        return None

    api.before = before
    told = await undone(api)

    assert undos(api) == 1
    assert image(api) == BAD
    assert told.result == "not changed", told.text
    assert api.all("leases") == []


async def test_a_lost_note_of_applied_does_not_spoil_the_end(api: ApiServer) -> None:
    is_refused = False

    def before(request: Received) -> Step | None:
        nonlocal is_refused
        if b"APPLIED" in request.body and not is_refused:
            is_refused = True
            return failure(403, "Forbidden", "not for a moment")
        return None

    api.before = before
    told = await undone(api)

    assert is_refused
    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""


async def test_a_401_in_the_middle_is_told_truly(api: ApiServer) -> None:
    api.before = lambda r: failure(401, "Unauthorized", "Unauthorized") if is_undo(r) else None
    told = await undone(api)

    assert told.result == "not changed"
    assert image(api) == BAD
    assert states(api) == ["NOT_APPLIED"]


async def test_a_record_that_cannot_be_closed_makes_a_success_undecided(api: ApiServer) -> None:
    def before(request: Received) -> Step | None:
        is_closing = line_of(request) == "PUT leases" and b"SUCCEEDED" in request.body
        return failure(500, "InternalError", "no") if is_closing else None

    api.before = before
    told = await undone(api)

    assert told.result == "undecided"
    assert "record could not be closed" in told.text
    assert states(api) == ["APPLIED"]


async def test_a_lost_answer_of_the_closing_write_is_no_failure(api: ApiServer) -> None:
    losses = 0

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal losses
        if line_of(request) == "PUT leases" and b"SUCCEEDED" in request.body and not losses:
            losses += 1
            return Close()
        return None

    api.after = after
    told = await undone(api)

    assert losses == 1
    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"]
    assert count(api, "PUT leases") <= 3


@pytest.mark.slow
async def test_a_lost_answer_of_the_release_with_an_open_intent_is_told_truly(
    api: ApiServer,
) -> None:
    losses = 0

    def before(request: Received) -> Step | None:
        if is_undo(request):
            return Close()
        is_fence = line_of(request) == PATCH
        return failure(500, "InternalError", "no") if is_fence else None

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal losses
        if line_of(request) == "PUT leases" and b'"holderIdentity": ""' in request.body:
            losses += 1
            return Close() if losses == 1 else None
        return None

    api.before, api.after = before, after
    told = await undone(api)

    assert losses == 1
    assert told.result == "undecided", told.text
    assert holder(api) == ""
    assert "taken over" not in told.text
    assert "could not be closed" not in told.text
