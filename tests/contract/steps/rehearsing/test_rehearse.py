"""One trial Pod before anything is switched: what it shows, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from backout.core.checks.history import BARRIER
from backout.core.model import Acceptance
from backout.core.preflight.request import Request
from backout.steps.check import check
from tests.contract.api_server import ApiServer, failure, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Received, Step
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import (
    GOOD,
    LEASE,
    QUICK,
    Told,
    control,
    count,
    expire_lock,
    image,
    running,
    shop,
    states,
    template,
    undone,
)
from tests.objects.metadata import condition
from tests.objects.pods import terminated, waiting

Object = dict[str, Any]
OP, OF = "backout.dev/rehearsal", "backout.dev/rehearsal-of"
BY = "backout.dev/rehearsed-by"
REHEARSE = Request(successes=2, rehearse=5.0)


READY: Object = {"phase": "Running", "conditions": [condition("Ready", "True")]}


MISNAMED: Object = {
    "phase": "Pending",
    "conditions": [condition("Ready", "False")],
    "containerStatuses": [waiting("InvalidImageName", "no such name")],
}


ENDED = terminated("Error", 3)
CRASHING: Object = {
    "phase": "Running",
    "conditions": [condition("Ready", "False")],
    "containerStatuses": [waiting("CrashLoopBackOff", "back-off", restartCount=3, lastState=ENDED)],
}


UNSCHEDULED: Object = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
            "lastTransitionTime": "2020-01-01T00:00:00Z",
        }
    ],
}


NEVER: Object = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}


def kubelet(api: ApiServer, status: Object) -> list[Object]:
    """Let trial Pods get this status; return a list that will have each as it was made."""
    made: list[Object] = []

    def act(server: ApiServer, obj: Object) -> None:
        control(server, obj)
        is_trial = obj["kind"] == "Pod" and OP in (obj["metadata"].get("labels") or {})
        if is_trial and "status" not in obj:
            made.append(obj)
            name = obj["metadata"]["name"]
            server.edit("pods", name, lambda p: p.update(status=status))

    api.controller = act
    return made


def trials(api: ApiServer) -> list[Object]:
    return [p for p in api.all("pods") if OP in (p["metadata"].get("labels") or {})]


def found(told: Told, one: str) -> list[str]:
    return [e.message for e in told.events if e.fields.get("id") == one]


async def test_a_good_target_is_rehearsed_first_and_that_is_its_proof(api: ApiServer) -> None:
    api.remove("pods", "web-1-0")
    kubelet(api, READY)
    told = await undone(api, policy=replace(REHEARSE, require_proof=True))
    lines = [line_of(r) for r in api.requests if not is_undo(r)]

    assert told.result == "succeeded", told.text
    assert "newest other revision" in told.of("target")[0]
    assert "; rehearsed just now: its trial Pod was Ready after " in told.of("target")[0]
    assert "answered well 2 times" in told.of("target")[0]
    assert "unproven" not in told.text
    assert image(api) == GOOD
    assert trials(api) == []
    undo = next(i for i, r in enumerate(api.requests) if is_undo(r))
    assert "DELETE pods" in [line_of(r) for r in api.requests[:undo]]
    assert lines.count("POST pods") == lines.count("DELETE pods") == 1


async def test_the_trial_pod_is_selected_by_nothing_and_ends_by_itself(api: ApiServer) -> None:
    made = kubelet(api, READY)
    await undone(api, policy=REHEARSE)
    (pod,) = made

    labels = pod["metadata"]["labels"]
    assert set(labels) == {"app.kubernetes.io/managed-by", OP, OF}
    assert "ownerReferences" not in pod["metadata"]
    assert pod["spec"]["activeDeadlineSeconds"] == 35
    assert pod["spec"]["containers"] == template(GOOD)["spec"]["containers"]
    assert json.loads(pod["metadata"]["annotations"][BY])["pid"] == os.getpid()


async def test_its_priority_is_nobodys_so_that_it_pushes_nobody_off_a_node() -> None:
    async with ApiServer() as api:
        shop(api, good=template(GOOD, priorityClassName="critical", serviceAccountName="default"))
        made = kubelet(api, READY)
        await undone(api, policy=REHEARSE)

        assert "priorityClassName" not in made[0]["spec"]
        assert made[0]["spec"]["serviceAccountName"] == "default"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (MISNAMED, "no such name"),
        (CRASHING, "ends with exit 3"),
        (NEVER, "was not Ready within 1 s"),
    ],
)
async def test_a_target_that_does_not_come_up_refuses_and_nothing_is_switched(
    api: ApiServer, status: Object, why: str
) -> None:
    kubelet(api, status)
    told = await undone(api, policy=replace(REHEARSE, rehearse=1.0))

    assert told.result == "refused", told.text
    assert "Not rolled back (PF124)" in told.message
    (said,) = found(told, "PF124")
    assert said.startswith("the rehearsal of revision 1 failed: ")
    assert why in told.text
    assert "--accept PF124" in (told.outcome.remedy if told.outcome else "")
    assert not any(map(is_undo, api.requests))
    assert trials(api) == []


async def test_a_trial_pod_that_answers_badly_refuses(api: ApiServer) -> None:
    kubelet(api, READY)

    def answer(request: Received) -> Answer:
        return Answer(status=500 if "rehearsal" in request.path else 200)

    api.proxied = answer
    limits = replace(QUICK, health=0.3)
    told = await undone(api, policy=replace(REHEARSE, health=("/ready",)), limits=limits)

    assert told.result == "refused", told.text
    assert "answered badly: Pod web-rehearsal-" in found(told, "PF124")[0]
    assert trials(api) == []

    # What backout guessed refuses nothing where the kubelet finds the Pod Ready.
    guessed = await undone(api, policy=REHEARSE, limits=limits)

    assert guessed.result == "succeeded", guessed.text
    assert "its answers prove nothing: Pod web-rehearsal-" in guessed.of("target")[0]


@pytest.mark.slow
async def test_what_is_not_the_targets_fault_only_warns(api: ApiServer) -> None:
    kubelet(api, UNSCHEDULED)
    told = await undone(api, policy=REHEARSE)

    assert told.result == "succeeded", told.text
    assert "no node takes it" in found(told, "PF125")[0]
    assert trials(api) == []


async def test_a_trial_pod_that_may_not_be_asked_is_judged_by_its_kubelet(api: ApiServer) -> None:
    kubelet(api, READY)
    api.denied = {"get pods/proxy"}
    told = await undone(api, policy=REHEARSE)

    assert told.result == "succeeded", told.text
    assert "held for 0.1 s; its health could not be asked" in told.of("target")[0]


@pytest.mark.parametrize("verb", ["create", "delete", "list", "watch"])
async def test_without_the_right_the_demand_refuses_and_the_rule_is_named(
    api: ApiServer, verb: str
) -> None:
    kubelet(api, READY)
    api.denied = {f"{verb} pods"}
    told = await undone(api, policy=REHEARSE)

    assert told.result == "refused", told.text
    assert f"you may not {verb} pods in namespace shop" in found(told, "PF127")[0]
    assert "--accept PF127" in (told.outcome.remedy if told.outcome else "")
    assert count(api, "POST pods") == 0
    assert not any(map(is_undo, api.requests))


async def test_pinned_images_are_what_is_rehearsed(api: ApiServer) -> None:
    ran = "sha256:" + "a" * 64
    status = {"name": "app", "imageID": f"127.0.0.1:1/app@{ran}"}
    api.edit("pods", "web-1-0", lambda p: p["status"].update(containerStatuses=[status]))
    made = kubelet(api, READY)
    await undone(api, policy=replace(REHEARSE, pin=True))

    assert made[0]["spec"]["containers"][0]["image"] == image(api) == f"127.0.0.1:1/app@{ran}"


async def test_no_older_code_is_started_beyond_a_barrier(api: ApiServer) -> None:
    kubelet(api, READY)
    note = {"backout.dev/barrier": "schema 39; older code refuses it"}
    api.edit(
        "deployments", "web", lambda w: w["spec"]["template"]["metadata"].update(annotations=note)
    )
    crossed = (Acceptance(id=BARRIER.id, reason="schema 39 is gone again"),)
    policy = replace(REHEARSE, to_revision=1, accepted=crossed)
    told = await undone(api, policy=policy)

    assert told.result == "refused", told.text
    assert "lies beyond a barrier: revision 3" in found(told, "PF127")[0]
    assert count(api, "POST pods") == 0


async def test_a_template_that_reads_its_labels_is_not_rehearsed() -> None:
    field = {"fieldRef": {"fieldPath": "metadata.labels['app']"}}
    good = template(GOOD)
    good["spec"]["containers"][0]["env"] = [{"name": "APP", "valueFrom": field}]
    async with ApiServer() as api:
        shop(api, good=good)
        kubelet(api, READY)
        told = await undone(api, policy=REHEARSE)

        assert told.result == "succeeded", told.text
        assert "container app reads a label of its Pod" in found(told, "PF125")[0]
        assert count(api, "POST pods") == 0


async def test_a_hostile_annotation_on_a_pod_stops_nobody(api: ApiServer) -> None:
    labels = {OP: "x", OF: LEASE, "app.kubernetes.io/managed-by": "backout"}
    api.add(
        "pods",
        {
            "metadata": {"name": "theirs", "labels": labels, "annotations": {BY: "[" * 100_000}},
            "spec": {"activeDeadlineSeconds": 60},
        },
    )
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert api.find("pods", "theirs") is not None


UNWELCOME = {
    "Recreate": ({"strategy": {"type": "Recreate"}}, {}, "the strategy is Recreate"),
    "no surge": (
        {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}}},
        {},
        "maxSurge is 0",
    ),
    "the host's network": ({}, {"hostNetwork": True}, "use the host's network"),
    "a claim of one": (
        {},
        {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]},
        "claim data could not be read",
    ),
}


@pytest.mark.parametrize(("spec", "pods", "why"), UNWELCOME.values(), ids=UNWELCOME.keys())
async def test_where_a_pod_more_is_unwelcome_none_is_made(
    spec: Object, pods: Object, why: str
) -> None:
    async with ApiServer() as api:
        shop(api, good=template(GOOD, **pods), **spec)
        kubelet(api, READY)
        told = await undone(api, policy=REHEARSE)

        assert why in found(told, "PF125")[0]
        assert count(api, "POST pods") == 0


async def test_a_plan_that_is_refused_anyway_is_not_rehearsed(api: ApiServer) -> None:
    kubelet(api, READY)
    api.edit("deployments", "web", lambda w: w["spec"].update(paused=True))
    told = await undone(api, policy=REHEARSE)

    assert "Not rolled back (PF105)" in told.message
    assert count(api, "POST pods") == 0


async def test_a_plan_that_is_made_again_is_not_rehearsed_again(api: ApiServer) -> None:
    kubelet(api, READY)
    changes = 1

    def before(request: Received) -> Step | None:
        nonlocal changes
        if line_of(request) == "POST leases" and changes:
            changes -= 1
            api.edit("deployments", "web", lambda w: w["spec"].update(minReadySeconds=1))
        return None

    api.before = before
    told = await undone(api, policy=REHEARSE)

    assert told.of("note") != []
    assert count(api, "POST pods") == 1


async def test_check_rehearses_only_where_it_is_asked(api: ApiServer) -> None:
    kubelet(api, READY)
    for policy, pods in ((Request(), 0), (REHEARSE, 1)):
        told = Told()
        async with running(api, told, policy=policy) as run, asyncio.timeout(30):
            told.outcome = await check(run)
        assert told.result == "succeeded"
        assert count(api, "POST pods") == pods
    assert trials(api) == []
    assert not any(map(is_undo, api.requests))


async def test_a_creation_whose_answer_is_lost_is_looked_for_and_deleted(api: ApiServer) -> None:
    kubelet(api, READY)

    def after(request: Received, _: Answer) -> Step | None:
        return Close() if line_of(request) == "POST pods" else None

    api.after = after
    told = await undone(api, policy=REHEARSE)

    assert "is not known" in found(told, "PF125")[0]
    assert trials(api) == []


async def test_a_pod_that_cannot_be_deleted_is_said_and_stops_nothing(api: ApiServer) -> None:
    kubelet(api, READY)

    def before(request: Received) -> Step | None:
        return failure(500, "", "etcd is away") if line_of(request) == "DELETE pods" else None

    api.before = before
    told = await undone(api, policy=REHEARSE)

    assert told.result == "succeeded", told.text
    (note,) = [n for n in told.of("note") if "could not be deleted" in n]
    assert "it ends by itself when its time is over" in note


@pytest.mark.parametrize("moment", ["POST pods", "WATCH pods"])
async def test_an_interruption_takes_the_trial_pod_with_it(api: ApiServer, moment: str) -> None:
    kubelet(api, NEVER)
    reached = asyncio.Event()

    def after(request: Received, _: Answer) -> Step | None:
        if line_of(request) == moment and trials(api):
            reached.set()
        return None

    def before(request: Received) -> Step | None:
        if line_of(request) == "WATCH pods" and trials(api):
            reached.set()
        return None

    api.before, api.after = before, after
    run = asyncio.ensure_future(undone(api, policy=REHEARSE, look_for_leaks=False))
    async with asyncio.timeout(10):
        await reached.wait()
        run.cancel()
        await asyncio.wait({run})

    assert run.cancelled()
    assert trials(api) == []
    assert not any(map(is_undo, api.requests))


async def killed(api: ApiServer) -> None:
    """Leave a trial Pod behind, as a process does that is killed."""

    def before(request: Received) -> Step | None:
        return Close() if line_of(request) == "DELETE pods" else None

    kubelet(api, MISNAMED)
    api.before = before
    await undone(api, policy=REHEARSE)
    api.before = lambda _: None
    assert len(trials(api)) == 1


@pytest.mark.slow
async def test_the_next_run_deletes_what_is_past_its_time_or_its_process(api: ApiServer) -> None:
    await killed(api)
    told = await undone(api)
    # Its process (pid 1) lives, and its time is not over.
    assert len(trials(api)) == 1

    api.moved_by = timedelta(minutes=2)
    told = await undone(api, policy=Request(to_revision=2), limits=replace(QUICK, total=2.0))
    assert trials(api) == []
    assert "was left behind; it is deleted" in told.text


@pytest.mark.parametrize("applied", [True, False])
async def test_whoever_says_no_has_swept_and_settled_nothing_of_a_dead_run(
    api: ApiServer, *, applied: bool
) -> None:
    await killed(api)
    await crashed(api, is_undo, applied=applied)
    expire_lock(api)
    api.moved_by = timedelta(minutes=2)
    wrote = len(api.writes)

    async def no(_: object) -> bool:
        return False

    told = await undone(api, confirm=no)

    assert told.message == "declined: nothing was changed", told.text
    assert api.writes[wrote:] == []
    assert states(api) == ["INTENT"]
    assert len(trials(api)) == 1


async def test_a_pod_of_a_dead_process_of_this_boot_is_deleted_at_once(api: ApiServer) -> None:
    await killed(api)
    place = {"host": "here", "bootID": "boot", "pidNamespace": "ns", "startedAt": "1"}
    dead = json.dumps({**place, "pid": 2**22 + 1})
    (left,) = trials(api)
    api.edit(
        "pods",
        left["metadata"]["name"],
        lambda p: p["metadata"]["annotations"].update({BY: dead}),
    )
    await undone(api)

    assert trials(api) == []


async def test_pods_of_others_are_never_deleted_whatever_their_labels(api: ApiServer) -> None:
    labels = {OP: "x", OF: LEASE, "app.kubernetes.io/managed-by": "backout"}
    api.add("pods", {"metadata": {"name": "theirs", "labels": labels}, "spec": {}})
    api.moved_by = timedelta(hours=1)
    await undone(api)

    assert api.find("pods", "theirs") is not None


async def test_a_process_number_that_is_none_is_nobodys(api: ApiServer) -> None:
    await killed(api)
    (left,) = trials(api)
    absurd = json.dumps({"host": "here", "bootID": "boot", "pid": 10**30})
    api.edit(
        "pods",
        left["metadata"]["name"],
        lambda p: p["metadata"]["annotations"].update({BY: absurd}),
    )
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert len(trials(api)) == 1
