"""The rollout after the PATCH: judged from the newest state, by our own clock, and not for ever."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from backout.kube import watch
from backout.steps.watching import follow
from tests.contract.api_server import ApiServer, failure, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Hang, Received, Step
from tests.contract.steps.shop import (
    GOOD,
    QUICK,
    Told,
    control,
    deploy,
    image,
    shop,
    states,
    undone,
)

Change = Callable[[dict[str, Any]], Any]


async def undone_while(api: ApiServer, then: Callable[[], None], **settings: Any) -> Told:
    """Undo with a controller that does nothing, and do something once the watch is open."""
    is_done = False

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal is_done
        if is_undo(request):
            api.controller = lambda *_: None
        return None

    def before(_: Received) -> Step | None:
        nonlocal is_done
        seen = {line_of(r) for r in api.requests}
        followed = {"WATCH deployments", "WATCH replicasets", "WATCH pods", "LIST events"}
        if not is_done and followed <= seen and any(map(is_undo, api.requests)):
            is_done = True
            asyncio.get_running_loop().call_later(0.05, then)
        return None

    api.controller = lambda *_: None
    api.before, api.after = before, after
    told = await undone(api, **settings)
    assert is_done
    return told


def edit_web(api: ApiServer, change: Change) -> None:
    api.edit("deployments", "web", change)


def set_to_work(api: ApiServer) -> None:
    """Let the controller act on what it has left alone."""
    api.controller = control
    edit_web(api, lambda w: w["metadata"]["annotations"].update(nudge="1"))


async def test_another_template_supersedes_the_rollout(api: ApiServer) -> None:
    told = await undone_while(api, lambda: deploy(api, "127.0.0.1:1/app:hotfix"))

    assert told.result == "undecided"
    assert "superseded" in told.message
    assert "changed the Pod template" in told.message
    assert states(api) == ["UNDECIDED"]


async def test_a_pause_meanwhile_is_told_and_not_waited_for(api: ApiServer) -> None:
    def pause() -> None:
        counters = {"observedGeneration": 99, "updatedReplicas": 0}
        edit_web(api, lambda w: (w["spec"].update(paused=True), w["status"].update(counters)))

    told = await undone_while(api, pause)

    assert told.result == "undecided"
    assert "paused" in told.message


def _set_ready(api: ApiServer, *, ready: bool) -> None:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}], "phase": "Running"}
    api.edit("pods", "web-1-0", lambda pod: pod.update(status=status))


async def test_a_pod_that_is_not_ready_is_no_success_while_the_controller_counts_it_as_available(
    api: ApiServer,
) -> None:
    def act() -> None:
        _set_ready(api, ready=False)
        set_to_work(api)

    told = await undone_while(api, act, limits=replace(QUICK, total=1.5))

    assert api.get("deployments", "web")["status"]["availableReplicas"] == 1
    assert told.result == "undecided", told.text
    assert "0 of 1 Pods are Ready" in told.message
    assert not told.of("rolled_out")


async def test_a_pod_that_dies_in_the_soak_reopens_it_before_the_controller_has_counted(
    api: ApiServer,
) -> None:
    later = asyncio.get_running_loop().call_later

    def act() -> None:
        set_to_work(api)
        later(0.3, lambda: _set_ready(api, ready=False))
        later(0.6, lambda: _set_ready(api, ready=True))

    told = await undone_while(api, act, limits=replace(QUICK, health_soak=1.0, health=5.0))

    assert told.result == "succeeded", told.text
    assert any("0 of 1 Pods are Ready" in note for note in told.of("note")), told.text
    assert sum("checking that they stay up" in line for line in told.of("progress")) > 1


async def test_a_sign_of_life_while_the_service_is_asked_counts_its_good_answers(
    api: ApiServer,
) -> None:
    limits = replace(QUICK, health_interval=0.2, health_soak=2.0, health=9.0, sign_of_life=0.5)
    told = await undone(api, limits=limits)

    assert told.result == "succeeded", told.text
    signs = [line for line in told.of("progress") if "checking that the Pods stay up" in line]
    assert signs
    assert all(re.match(r"healthy \d+/11: ", sign) for sign in signs), signs


@pytest.mark.slow
async def test_pods_that_are_out_of_sight_for_a_while_are_waited_for_and_not_believed(
    api: ApiServer,
) -> None:
    refused = 0

    def before(request: Received) -> Step | None:
        nonlocal refused
        line = line_of(request)
        if any(map(is_undo, api.requests)) and line.endswith(" pods") and refused < 2:
            refused += 1
            return failure(503, "ServiceUnavailable", "the server is starting")
        return None

    api.before = before
    told = await undone(api)

    assert refused == 2
    assert told.result == "succeeded", told.text


@pytest.mark.slow
async def test_pods_that_are_out_of_sight_when_the_soak_ends_are_looked_at_again(
    api: ApiServer,
) -> None:
    later = asyncio.get_running_loop().call_later
    hidden = failure(503, "ServiceUnavailable", "the server is starting")

    def show() -> None:
        api.before = lambda _: None

    def hide() -> None:
        api.before = lambda r: hidden if line_of(r) in {"LIST pods", "WATCH pods"} else None
        api.cut_watches()
        later(2.0, show)

    def act() -> None:
        set_to_work(api)
        later(0.5, hide)

    told = await undone_while(api, act, limits=replace(QUICK, health_soak=1.0, health=8.0))

    assert told.result == "succeeded", told.text
    assert any("the server is starting" in note for note in told.of("note")), told.text


async def test_pods_that_stay_out_of_sight_leave_it_unknown(api: ApiServer) -> None:
    def before(request: Received) -> Step | None:
        is_after = any(map(is_undo, api.requests))
        if is_after and line_of(request) in {"LIST pods", "WATCH pods"}:
            return failure(503, "ServiceUnavailable", "the server is starting")
        return None

    api.before = before
    told = await undone(api, limits=replace(QUICK, total=2.0))

    assert told.result == "undecided", told.text
    assert "cannot be followed" in told.message


async def test_a_deletion_meanwhile_is_told(api: ApiServer) -> None:
    told = await undone_while(api, lambda: api.remove("deployments", "web"))

    assert told.result == "undecided"
    assert "deleted" in told.message
    assert states(api) == ["UNDECIDED"]


async def test_a_deployment_of_the_same_name_is_not_taken_for_ours(api: ApiServer) -> None:
    def recreate() -> None:
        spec = api.get("deployments", "web")["spec"]
        api.remove("deployments", "web")
        status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
        metadata = {"name": "web", "annotations": {}}
        ready = {**status, "availableReplicas": 1}
        api.add("deployments", {"metadata": metadata, "spec": spec, "status": ready})

    told = await undone_while(api, recreate)

    assert told.result == "undecided"
    assert "deleted" in told.message


async def test_scaling_meanwhile_is_no_reason_to_give_up(api: ApiServer) -> None:
    def scale() -> None:
        edit_web(api, lambda w: w["spec"].update(replicas=3))
        set_to_work(api)

    told = await undone_while(api, scale)

    assert told.result == "succeeded", told.text
    assert api.get("deployments", "web")["spec"]["replicas"] == 3


async def test_no_progress_is_judged_by_our_own_clock() -> None:
    async with ApiServer() as api:
        shop(api, progressDeadlineSeconds=1)
        told = await undone_while(api, lambda: None)

        assert told.result == "failed"
        assert "no progress for 1 s" in told.message
        assert states(api) == ["FAILED"]


async def test_a_condition_that_is_left_over_from_the_bad_rollout_is_not_believed(
    api: ApiServer,
) -> None:
    stale = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

    def act() -> None:
        edit_web(api, lambda w: w["status"].update(conditions=[stale], observedGeneration=99))
        set_to_work(api)

    told = await undone_while(api, act)

    assert told.result == "succeeded", told.text


async def test_what_nobody_could_see_is_unknown_and_not_failed() -> None:
    async with ApiServer() as api:
        shop(api, progressDeadlineSeconds=1)
        gone = ("LIST", "WATCH", "GET deploy")

        def before(request: Received) -> Step | None:
            is_after = any(map(is_undo, api.requests)) and not is_undo(request)
            line = line_of(request)
            if is_after and line.startswith(gone):
                return failure(503, "ServiceUnavailable", "the server is starting")
            return None

        api.before = before
        told = await undone(api, limits=replace(QUICK, total=3.0))

        assert told.result == "undecided", told.text
        assert states(api) == ["APPLIED"], "the next run goes on with it"


async def test_the_users_time_is_used_up_before_it_is_said_to_be(api: ApiServer) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    told = await undone_while(api, lambda: None, limits=replace(QUICK, total=2.0))

    assert told.result == "undecided"
    assert clock() - began >= 1.7


async def test_time_that_is_up_is_unknown_and_says_what_was_awaited(api: ApiServer) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    told = await undone_while(api, lambda: None, limits=replace(QUICK, total=1.5))

    assert told.result == "undecided"
    assert "not finished when time was up" in told.message
    assert clock() - began < 5


@pytest.mark.parametrize("resource", ["events", "pods", "replicasets"])
async def test_what_may_not_be_followed_is_done_without_and_said(
    api: ApiServer, resource: str
) -> None:
    def before(request: Received) -> Step | None:
        if any(map(is_undo, api.requests)) and line_of(request) == f"LIST {resource}":
            return failure(403, "Forbidden", f"{resource} is forbidden")
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert f"{resource} is forbidden" in told.text


@pytest.mark.parametrize("resource", ["pods", "deployments"])
async def test_a_defect_of_ours_while_following_is_said_and_is_no_silence_to_the_end(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    """What follows the workload itself is missed: the run ends. The rest goes on without."""
    intact = watch.follow

    def broken(client: Any, path: str, **how: Any) -> Any:
        if path.endswith(f"/{resource}"):
            raise KeyError("defect")
        return intact(client, path, **how)

    monkeypatch.setattr(follow, "follow", broken)
    told = await undone(api, limits=replace(QUICK, total=9.0))

    assert "internal error (KeyError: 'defect')" in told.text
    assert told.result == ("succeeded" if resource == "pods" else "undecided")


async def test_without_the_right_to_list_deployments_it_is_refused_before_the_patch(
    api: ApiServer,
) -> None:
    api.denied.add("list deployments")
    told = await undone(api)

    assert told.result == "refused"
    assert "list deployments" in told.text
    assert image(api) != GOOD


async def test_without_the_right_to_read_pods_and_services_it_goes_on_and_says_so(
    api: ApiServer,
) -> None:
    api.denied |= {"list pods", "list services", "watch pods"}
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert "not verified end to end" in told.message
    assert "pods is forbidden" in told.text
    assert image(api) == GOOD


@pytest.mark.parametrize("code", [500, 503, 429])
async def test_a_server_that_fails_for_a_moment_while_it_is_watched_is_survived(
    api: ApiServer, code: int
) -> None:
    failed: set[str] = set()

    def before(request: Received) -> Step | None:
        line = line_of(request)
        if any(map(is_undo, api.requests)) and line.startswith("WATCH") and line not in failed:
            failed.add(line)
            return failure(code, "ServiceUnavailable", "starting")
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text


async def test_a_compacted_history_is_listed_again(api: ApiServer) -> None:
    def forget() -> None:
        api.forget_history()
        api.cut_watches()
        set_to_work(api)

    told = await undone_while(api, forget)

    assert told.result == "succeeded", told.text


async def test_a_watch_that_hangs_ends_with_the_time_of_the_whole(api: ApiServer) -> None:
    api.before = lambda r: (
        Hang() if any(map(is_undo, api.requests)) and line_of(r) == "LIST deployments" else None
    )
    told = await undone(api, limits=replace(QUICK, total=2.0))

    assert told.result == "undecided"
    assert image(api) == GOOD


@pytest.mark.slow
async def test_the_last_request_of_a_run_does_not_keep_it(api: ApiServer) -> None:
    api.before = lambda r: Hang() if line_of(r) == "POST events" else None
    clock = asyncio.get_running_loop().time
    began = clock()
    told = await undone(api, write_timeout=20.0)

    assert told.result == "succeeded", told.text
    assert clock() - began < 15


async def test_the_controller_is_waited_for_before_a_revision_is_chosen(api: ApiServer) -> None:
    api.controller = lambda *_: None
    edit_web(api, _newer_bad)

    def before(request: Received) -> Step | None:
        if line_of(request) == "WATCH deployments" and api.controller is not control:
            asyncio.get_running_loop().call_later(0.05, catch_up)
        return None

    def catch_up() -> None:
        set_to_work(api)

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert "waiting for the Deployment controller" in told.text
    assert image(api) == GOOD


async def test_a_controller_that_does_not_act_refuses_a_choice(api: ApiServer) -> None:
    api.controller = lambda *_: None
    edit_web(api, _newer_bad)
    told = await undone(api)

    assert told.result == "refused"
    assert "has not observed the newest change" in told.text
    assert not any(map(is_undo, api.requests))


def _newer_bad(web: dict[str, Any]) -> None:
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "127.0.0.1:1/app:bad2"


async def test_a_connection_that_is_cut_while_it_is_watched_is_survived(api: ApiServer) -> None:
    cuts = 0

    def before(request: Received) -> Step | None:
        nonlocal cuts
        if any(map(is_undo, api.requests)) and line_of(request) == "LIST deployments" and not cuts:
            cuts += 1
            return Close(reset=True)
        return None

    api.before = before
    told = await undone(api)

    assert cuts == 1
    assert told.result == "succeeded", told.text
