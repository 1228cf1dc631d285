"""The second write: the template's fields go back to who applies them, or it is said why not."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from backout.core.heal.field_sets import parsed
from backout.core.heal.hand_back import is_ours
from backout.core.preflight.request import Request
from tests.contract.api_server import failure, is_hand_back, is_undo, line_of
from tests.contract.scripted_server import Close
from tests.contract.steps.crash import HASTY, crashed
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    QUICK,
    deploy,
    expire_lock,
    holder,
    image,
    records,
    states,
    undone,
)
from tests.contract.steps.test_resume import resumed
from tests.objects.managed_fields import entry, fields_of, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Answer, Received, Step
    from tests.objects.metadata import Object


@pytest.fixture(autouse=True)
def by_ci(api: ApiServer) -> None:
    """Let somebody called ci apply the shop server-side, and the server keep managed fields."""

    def applied(web: Object) -> None:
        web["metadata"]["managedFields"] = [entry("ci", fields_of(web["spec"]["template"]))]

    def managed(resource: str, wanted: Object) -> Object:
        before = api.find(resource, "web") if resource == "deployments" else None
        if before is not None and before["spec"]["template"] != wanted["spec"]["template"]:
            wanted["metadata"]["managedFields"] = taken(before, wanted["spec"]["template"])
        return wanted

    api.edit("deployments", "web", applied)
    api.admitted = managed


def is_newest(api: ApiServer, request: Received, *, landed: bool = False) -> bool:
    """Tell a second write that lands (or `landed` just now) from one that meets a 409.

    The controller has written the status right behind the PATCH: its answer is stale by then.
    """
    if not is_hand_back(request):
        return False
    version = next(op["value"] for op in request.json if op["path"].endswith("resourceVersion"))
    there = web(api)["metadata"]
    return is_healed(api) if landed else bool(version == there["resourceVersion"])


def writes(api: ApiServer) -> int:
    return sum(is_hand_back(r) for r in api.requests)


def web(api: ApiServer) -> Object:
    return api.get("deployments", "web")


def is_healed(api: ApiServer) -> bool:
    found = web(api)
    ci = [e for e in found["metadata"]["managedFields"] if e["manager"] == "ci"]
    return not is_ours(found) and parsed(ci[0]["fieldsV1"]) == fields_of(found["spec"]["template"])


def once(
    api: ApiServer,
    answer: Step | None,
    meanwhile: Callable[[], object] = lambda: None,
    *,
    landed: bool = False,
) -> Callable[..., Step | None]:
    """Return what meets the first second write that lands with this answer, not the server's."""
    met: list[Received] = []

    def before(request: Received, *_: Answer) -> Step | None:
        if met or not is_newest(api, request, landed=landed):
            return None
        met.append(request)
        meanwhile()
        return answer

    return before


async def test_the_fields_are_handed_back_right_after_the_patch(api: ApiServer) -> None:
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert is_healed(api)
    sent = [is_hand_back(r) for r in api.requests if is_undo(r) or is_hand_back(r)]
    assert sent == [False, True], "once the controller has written what would make it a 409"
    assert "the fields of the Pod template are handed back to ci" in told.text
    assert records(api)[-1]["isHealed"] is True
    assert "owners" not in records(api)[-1]


async def test_the_rollout_is_watched_and_the_service_asked_beside_it(api: ApiServer) -> None:
    asked = asyncio.Event()

    async def before(request: Received) -> Step | None:
        if line_of(request).endswith("/proxy") and writes(api):
            asked.set()
        if is_hand_back(request):
            await asked.wait()
        return None

    api.before = before
    told = await undone(api)

    assert (told.result, is_healed(api)) == ("succeeded", True), told.text


async def test_the_record_is_closed_and_the_lock_let_go_behind_it_alone(api: ApiServer) -> None:
    """The service has long answered as often as it was to: the closing still waits."""
    asked = asyncio.Event()
    free_at_the_end: list[bool] = []

    async def before(request: Received) -> Step | None:
        if line_of(request).endswith("/proxy") and writes(api):
            asked.set()
        if is_hand_back(request):
            await asked.wait()
            free_at_the_end.append(await let_go(api))
        return None

    api.before = before
    told = await undone(api)

    assert (told.result, free_at_the_end) == ("succeeded", [False]), told.text
    assert (states(api), holder(api), is_healed(api)) == (["SUCCEEDED"], "", True)


async def test_an_interruption_waits_for_its_answer_before_the_lock_is_let_go(
    api: ApiServer,
) -> None:
    free_at_the_end: list[bool] = []

    async def before(request: Received) -> Step | None:
        if is_hand_back(request):
            task.cancel()
            free_at_the_end.append(await let_go(api))
        return None

    api.before = before
    task = asyncio.create_task(undone(api))
    told = await task

    assert (told.result, free_at_the_end) == ("interrupted", [False]), told.text
    assert (states(api), holder(api), is_healed(api)) == (["APPLIED"], "", True)
    told = await resumed(api)
    assert (told.result, writes(api)) == ("succeeded", 1), told.text
    assert records(api)[-1]["isHealed"] is True


async def let_go(api: ApiServer) -> bool:
    """Wait a while for the lock to be let go; tell whether it was."""
    free = asyncio.Event()
    api.before = lambda r: free.set() if r.method == "PUT" and _is_release(r) else None
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await free.wait()
    return free.is_set()


def _is_release(request: Received) -> bool:
    return not request.json["spec"].get("holderIdentity", "other")


async def test_nothing_is_handed_back_once_the_lock_is_lost(api: ApiServer) -> None:
    """Seen by the record's write, which leaves beside the watch."""

    def after(request: Received, _: Answer) -> Step | None:
        if is_undo(request):
            api.edit("leases", LEASE, _taken_over)
        return None

    api.after = after
    told = await undone(api)

    assert (writes(api), is_healed(api)) == (0, False), told.text
    assert "could not be handed back to ci: the lock was lost" in told.text
    assert "owners" in records(api)[-1]


async def test_after_a_409_the_lease_is_read_before_it_is_made_again(api: ApiServer) -> None:
    def take_over() -> None:
        api.edit("leases", LEASE, _taken_over)
        api.edit("deployments", "web", _moved)

    api.before = once(api, None, take_over)
    told = await undone(api)

    assert (writes(api), is_healed(api)) == (1, False), told.text
    assert "could not be handed back to ci: the lock was taken over by another" in told.text


def _taken_over(lease: Object) -> None:
    spec = lease["spec"]
    spec.update(holderIdentity="another", leaseTransitions=spec["leaseTransitions"] + 1)


@pytest.mark.slow
async def test_a_controller_that_does_not_answer_is_not_waited_for_long(api: ApiServer) -> None:
    api.controller = lambda *_: None
    told = await undone(
        api, limits=replace(QUICK, total=4.0), policy=Request(to_revision=1, reason="down")
    )

    assert is_healed(api), told.text
    assert records(api)[-1]["isHealed"] is True


async def test_it_is_told_before_the_act_and_nobody_is_asked_for_more_rights(
    api: ApiServer,
) -> None:
    told = await undone(api)
    before = told.text.partition("rollback triggered")[0]

    assert "the fields that change are handed back to ci" in before


async def test_what_is_needed_is_on_record_before_anything_is_changed(api: ApiServer) -> None:
    seen = []
    api.before = lambda r: seen.extend(records(api)) if is_undo(r) else None
    await undone(api)

    (owned,) = seen[0]["owners"]
    assert (owned["manager"], owned["operation"]) == ("ci", "Apply")


async def test_after_a_409_it_is_made_again_from_what_is_there_now(api: ApiServer) -> None:
    api.before = once(api, None, lambda: api.edit("deployments", "web", _moved))
    told = await undone(api)

    assert (told.result, is_healed(api)) == ("succeeded", True), told.text
    assert writes(api) > 1


def _moved(now: Object) -> None:
    now["status"]["moved"] = True


async def test_a_template_that_somebody_has_changed_since_is_left_alone(api: ApiServer) -> None:
    api.before = once(api, None, lambda: deploy(api, BAD))
    told = await undone(api)

    assert image(api) == BAD
    assert "somebody has changed the Pod template: no fields are handed back" in told.text
    assert not {"owners", "isHealed"} & records(api)[-1].keys()


async def test_where_it_is_refused_the_rollback_succeeds_and_resume_makes_up_for_it(
    api: ApiServer,
) -> None:
    api.before = once(api, failure(403, "Forbidden", "a policy says no"))
    told = await undone(api)

    assert (told.result, is_healed(api)) == ("succeeded", False), told.text
    assert "could not be handed back to ci: a policy says no" in told.text
    assert "hand them back: backout resume deployment/web" in told.text
    assert states(api) == ["SUCCEEDED"]

    told = await resumed(api)
    assert (told.result, is_healed(api)) == ("settled", True), told.text
    assert "are handed back" in told.message
    assert (states(api), records(api)[-1]["isHealed"]) == (["SUCCEEDED"], True)
    assert "is left open" in (await resumed(api)).message


async def test_resume_does_not_hand_back_what_is_no_longer_ours(api: ApiServer) -> None:
    api.before = once(api, failure(403, "Forbidden", "a policy says no"))
    await undone(api)
    deploy(api, BAD)
    sent = writes(api)
    told = await resumed(api)

    assert (told.result, writes(api)) == ("settled", sent)
    assert "the template has changed since" in told.message
    assert "owners" not in records(api)[-1]


async def test_a_next_rollback_hands_back_what_the_last_one_did_not(api: ApiServer) -> None:
    api.before = once(api, failure(403, "Forbidden", "a policy says no"))
    await undone(api)
    deploy(api, BAD)
    told = await undone(api, policy=Request(to_revision=3, reason="again", successes=1))

    assert told.result == "succeeded", told.text
    assert is_healed(api)
    assert [r.get("isHealed", False) for r in records(api)] == [False, True]
    assert all("owners" not in r for r in records(api))


@pytest.mark.parametrize("landed", [True, False])
async def test_after_an_answer_that_was_lost_it_is_looked_at_and_not_sent_again(
    api: ApiServer, *, landed: bool
) -> None:
    lost = once(api, Close(), landed=landed)
    if landed:
        api.after = lost
    else:
        api.before = lost
    told = await undone(api)

    assert (told.result, is_healed(api)) == ("succeeded", landed), told.text
    versions = [r.json[1]["value"] for r in api.requests if is_hand_back(r)]
    assert len(set(versions)) == len(versions)
    assert ("could not be handed back" in told.text) is not landed
    assert ("owners" in records(api)[-1]) is not landed


async def test_what_the_server_drops_silently_is_not_taken_for_done(api: ApiServer) -> None:
    managed = api.admitted

    def drops(resource: str, wanted: Object) -> Object:
        made = managed(resource, wanted)
        entries = made["metadata"].get("managedFields", [])
        if is_hand_back(api.requests[-1]):
            made = copy.deepcopy(made)
            made["metadata"]["managedFields"] = [e for e in entries if e["manager"] != "ci"]
        return made

    api.admitted = drops
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert "the API server did not keep the managed fields that it was sent" in told.text


@pytest.mark.slow
@pytest.mark.parametrize("landed", [True, False])
async def test_a_run_that_dies_at_the_second_write_leaves_it_to_resume(
    api: ApiServer, *, landed: bool
) -> None:
    limits = replace(HASTY, total=2.0)
    await crashed(api, lambda r: is_newest(api, r, landed=landed), applied=landed, limits=limits)
    assert (image(api), is_healed(api)) == (GOOD, landed)
    sent = writes(api)
    expire_lock(api)
    told = await resumed(api)

    assert (told.result, is_healed(api)) == ("succeeded", True), told.text
    assert writes(api) == sent + (not landed)
    assert (states(api), records(api)[-1]["isHealed"]) == (["SUCCEEDED"], True)


async def test_with_no_heal_there_is_one_write_and_nothing_on_record(api: ApiServer) -> None:
    told = await undone(api, policy=Request(heal=False, successes=1))

    assert (told.result, writes(api), is_healed(api)) == ("succeeded", 0, False), told.text
    assert not {"owners", "isHealed"} & records(api)[-1].keys()


async def test_what_is_too_long_for_the_record_is_handed_back_all_the_same_and_said(
    api: ApiServer,
) -> None:
    many = [("f:spec", "f:template", "f:spec", f"f:{n:0200}") for n in range(100)]

    def more(now: Object) -> None:
        now["metadata"]["managedFields"].append(entry("mesh", many))

    api.edit("deployments", "web", more)
    seen = []
    api.before = lambda r: seen.extend(records(api)) if is_undo(r) else None
    told = await undone(api)

    assert "owners" not in seen[0]
    assert "too long for the record" in told.text
    assert is_healed(api)
