"""Where an undo goes, what it must have read for that, and what it learns from how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.model import Acceptance
from backout.core.preflight.request import Request
from backout.steps.mark import mark
from backout.steps.verify import verify
from tests.contract.api_server import failure, is_undo, line_of
from tests.contract.scripted_server import Answer
from tests.contract.steps.shop import GOOD, QUICK, Told, deploy, image, records, running, undone
from tests.contract.steps.test_mark import memory

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step

OTHER = "127.0.0.1:1/app:other"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
WITH_REASON = Request(successes=2, reason="INC-7")


def failing(api: ApiServer, line: str, code: int, times: int) -> None:
    """Let the API server fail to answer a request, so many times."""
    left = times

    def before(request: Received) -> Step | None:
        nonlocal left
        if line_of(request) != line or left == 0:
            return None
        left -= 1
        return failure(code, "Failed", "the server is overloaded", retry_after="0")

    api.before = before


def patches(api: ApiServer) -> list[Received]:
    return [r for r in api.writes if is_undo(r)]


@pytest.mark.parametrize("code", [429, 500, 503, 504])
@pytest.mark.parametrize("line", ["LIST pods", "GET leases"])
async def test_what_the_choice_is_made_from_must_have_been_read(
    api: ApiServer, line: str, code: int
) -> None:
    """Two bad deploys in a row: without the Pods the choice would be the first bad one."""
    deploy(api, "127.0.0.1:1/app:bad2")
    failing(api, line, code, times=99)
    told = await undone(api)

    assert told.result == "not changed", told.text
    assert "could not be read" in told.message
    assert told.message.endswith("nothing was changed")
    assert patches(api) == []
    assert records(api) == []


async def test_once_it_answers_again_the_run_goes_on(api: ApiServer) -> None:
    deploy(api, "127.0.0.1:1/app:bad2")
    failing(api, "LIST pods", 429, times=1)
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD


async def test_where_pods_are_denied_it_goes_on_and_says_what_it_chose_without(
    api: ApiServer,
) -> None:
    api.denied.add("list pods")
    told = await undone(api)

    ids = {e.fields["id"] for e in told.events if e.kind == "finding"}
    assert {"PF110", "PF115"} <= ids
    assert len(patches(api)) == 1


def restart(api: ApiServer) -> None:
    """Do what `kubectl rollout restart` does."""

    def change(web: dict[str, Any]) -> None:
        notes = web["spec"]["template"]["metadata"].setdefault("annotations", {})
        notes[RESTARTED] = "2026-03-01T11:59:00Z"

    api.edit("deployments", "web", change)


async def test_after_somebody_restarted_the_bad_one_it_goes_past_what_runs_the_same(
    api: ApiServer,
) -> None:
    deploy(api, OTHER)
    restart(api)
    told = await undone(api, policy=replace(WITH_REASON, to_image="app:good"))
    assert told.result == "succeeded", told.text

    deploy(api, OTHER)
    restart(api)
    told = await undone(api, policy=WITH_REASON)
    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert any("annotations that restart Pods" in s for s in told.of("passed_over"))


async def test_a_database_that_was_down_before_and_after_is_held_against_nobody(
    api: ApiServer,
) -> None:
    api.proxied = lambda _: Answer(status=503, body=b"no database")
    accepted = (Acceptance(id="PF121", reason="r"),)
    policy = Request(successes=2, baseline=True, health=("/ready",), accepted=accepted)
    told = await undone(api, policy=policy, limits=replace(QUICK, health=0.4))

    assert told.result == "failed", told.text
    assert "was already so before the rollback" in told.message
    assert known_bad(api) == {}


def waiting(api: ApiServer, reason: str, message: str) -> None:
    """Let the container of revision 2 wait for this once our PATCH has landed."""
    state = {"waiting": {"reason": reason, "message": message}}

    def after(request: Received, _: Answer) -> Step | None:
        if is_undo(request) and request.query.get("dryRun") != "All":
            status = {"name": "app", "ready": False, "restartCount": 0, "state": state}
            api.edit("pods", "web-2-0", lambda p: p["status"].update(containerStatuses=[status]))
        return None

    api.after = after


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "message", "is_bad"),
    [
        ("InvalidImageName", "couldn't parse image name", True),
        ("ErrImagePull", "unauthorized: authentication required", False),
        ("CreateContainerConfigError", 'secret "db" not found', False),
    ],
)
async def test_a_failure_is_held_against_a_template_where_it_is_its_own_fault(
    api: ApiServer, reason: str, message: str, *, is_bad: bool
) -> None:
    deploy(api, OTHER)
    waiting(api, reason, message)
    policy = replace(WITH_REASON, to_revision=2)
    told = await undone(api, policy=policy, limits=replace(QUICK, total=4.0))

    assert told.result in {"failed", "undecided"}, told.text
    assert set(known_bad(api)) == ({2} if is_bad else set())


def known_bad(api: ApiServer) -> dict[int, Any]:
    """Return what the ledger holds against revisions, by number."""
    return {n: one for n, one in memory(api).items() if one["bad"] is not None}


async def test_a_verified_health_does_not_take_back_what_a_person_said(api: ApiServer) -> None:
    deploy(api, OTHER)
    async with running(api, policy=Request(reason="leaks"), actor="ann") as run:
        await mark(run, number=None, healthy=False)
    told = Told()
    async with running(api, told, actor="ci") as run, asyncio.timeout(30):
        told.outcome = await verify(run, number=None)

    assert told.result == "succeeded", told.text
    (warning,) = told.of("warning")
    assert "it stays known to be bad, for only a person takes that back" in warning
    assert "ledger mark deployment/web -n shop --healthy" in warning
    assert told.of("recorded") == []
    (one,) = known_bad(api).values()
    assert one["bad"]["why"] == "marked by ann: leaks"


async def test_where_no_target_can_be_chosen_it_is_said_where_the_workload_stands(
    api: ApiServer,
) -> None:
    told = await undone(api, policy=Request(to_revision=9))

    assert told.message.startswith("Not rolled back (PF101)")
    [words] = told.of("workload")
    assert words.startswith("deployment/web is at revision 2 (app:bad); 0 of 1 new Pod Ready")


async def test_required_health_with_nothing_to_ask_refuses_before_anything_is_sent(
    api: ApiServer,
) -> None:
    api.remove("services", "web")
    told = await undone(api, policy=Request(successes=2, require_health=True))

    assert told.result == "refused", told.text
    assert "PF118" in told.message
    assert patches(api) == []


async def test_required_health_that_may_not_be_asked_refuses_as_well(api: ApiServer) -> None:
    deploy(api, OTHER)
    api.denied.add("get services/proxy")
    told = await undone(api, policy=Request(successes=2, require_health=True, baseline=True))

    assert told.result == "refused", told.text
    assert "PF118" in told.message


@pytest.mark.parametrize("reason", ["", "it leaks"])
async def test_a_healthy_service_is_not_moved_to_what_is_unproven_without_a_reason(
    api: ApiServer, reason: str
) -> None:
    deploy(api, OTHER)
    policy = Request(successes=2, baseline=True, reason=reason, to_revision=1)
    told = await undone(api, policy=policy)

    assert told.result == ("succeeded" if reason else "refused"), told.text
    if not reason:
        assert "PF906" in told.message
        assert told.outcome is not None
        assert told.outcome.remedy.endswith("--reason 'WHY'")
        assert patches(api) == []


async def test_a_reason_is_not_asked_for_where_the_target_still_runs(api: ApiServer) -> None:
    told = await undone(api, policy=Request(successes=2, baseline=True))

    assert told.result == "succeeded", told.text


async def test_a_barrier_is_crossed_by_name_and_with_a_reason_only(api: ApiServer) -> None:
    def change(web: dict[str, Any]) -> None:
        notes = web["spec"]["template"]["metadata"].setdefault("annotations", {})
        notes["backout.dev/barrier"] = "schema 39; older code refuses it"

    api.edit("deployments", "web", change)
    plain = await undone(api)
    named = await undone(api, policy=Request(successes=2, to_revision=1))

    assert plain.result == named.result == "refused"
    assert "PF116" in plain.message
    (blocked,) = [e for e in plain.events if e.kind == "blocked"]
    assert "--to-revision 1 --accept PF116 --reason 'WHY'" in str(blocked.fields["remedy"])
    assert patches(api) == []
