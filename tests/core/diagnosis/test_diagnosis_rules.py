"""The rules: which Pods and events count, what ranks first, nothing crashes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from backout.core.diagnosis.before import Before, before, first_look
from backout.core.diagnosis.causes import REMEDIES, Cause
from backout.core.diagnosis.exits import Exit
from tests.core.diagnosis import looks
from tests.objects.events import event
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

POD = "uid-web-3-a"
CRASHED = waiting("CrashLoopBackOff", lastState=terminated("Error", 3), restartCount=5)
MISSING = event(POD, "FailedMount", 'failed for volume "v" : configmap "nocm" not found')
UNREADY = event(POD, "Unhealthy", "Readiness probe failed: connection refused")
STARTED = {"running": {"startedAt": stamp(ago(seconds=45))}}
"""Longer ago than a default probe's own arithmetic, 31 s; not twice as long."""
NOT_READY = container_status(state=STARTED)
PROBED = template(readinessProbe={"httpGet": {"path": "/ready", "port": "http"}})["spec"]


def causes(
    *containers: Any,
    events: Any = (),
    earlier: Before | None = None,
    others: Any = (),
    seconds: float = 40,
    **made: Any,
) -> tuple[Cause, ...]:
    """Return the causes after so many seconds: longer than a default probe's own numbers, 31 s."""
    stuck = pod(ready=False, containers=containers, spec=PROBED, **made)
    one = looks.scene(None, replica_set(3), [stuck], events, earlier=earlier, others=others)
    return looks.causes(one, seconds=range(int(seconds) + 1))


def test_a_ready_pod_has_no_cause_whatever_happened_to_it() -> None:
    well = pod(containers=[CRASHED])
    assert looks.causes(looks.scene(None, replica_set(3), [well], [UNREADY])) == ()


def test_nothing_to_see_gives_no_cause() -> None:
    assert looks.causes(looks.scene()) == ()
    assert causes() == ()
    assert causes(waiting("ContainerCreating")) == ()
    assert causes(container_status(), seconds=5) == ()


def test_a_replica_set_without_a_failure_or_with_a_past_one_has_no_cause() -> None:
    past = replica_set(3, status={"conditions": [condition("ReplicaFailure", "False")]})
    assert looks.causes(looks.scene(current=past)) == ()


def test_events_of_other_objects_are_passed_over() -> None:
    other = event("uid-other", "Unhealthy", "Readiness probe failed")
    (found,) = causes(NOT_READY, events=[other, {}, {"involvedObject": None}])
    assert "Readiness probe failed" not in found.message


def test_the_newest_event_of_a_kind_decides_whatever_their_order() -> None:
    old = event(POD, "Unhealthy", "Readiness probe failed: the old one", at=ago(minutes=2))
    new = event(POD, "Unhealthy", "Readiness probe failed: the new one", at=ago(minutes=1))
    for events in ([old, new], [new, old]):
        (found,) = causes(NOT_READY, events=events)
        assert "the new one" in found.message


def test_an_event_without_the_kubelets_time_has_its_event_time() -> None:
    older = event(POD, "Unhealthy", "Readiness probe failed: older", at=ago(minutes=2))
    newer = event(POD, "Unhealthy", "Readiness probe failed: newer")
    newer |= {"lastTimestamp": None, "eventTime": "2026-03-01T12:00:00.000001Z", "count": None}
    for events in ([older, newer], [newer, older]):
        assert "newer" in causes(NOT_READY, events=events)[0].message


def test_a_mount_that_failed_counts_only_until_something_of_the_pod_has_started() -> None:
    (found,) = causes(waiting("ContainerCreating"), events=[MISSING])
    assert (found.code, found.is_final) == ("CONFIG_MISSING", True)
    (found,) = causes(NOT_READY, events=[MISSING, UNREADY])
    assert (found.code, found.is_final) == ("PROBE_READINESS", False)


def test_a_containers_own_state_outranks_the_probe_that_follows_from_it() -> None:
    assert [c.code for c in causes(CRASHED, events=[UNREADY])] == ["CRASH_LOOP"]


def test_restarts_count_from_our_patch_on() -> None:
    known = Before(restarts={(POD, "app"): 3})
    peer = [looks.PEER]
    (found,) = causes(CRASHED, earlier=known, others=peer)
    assert not found.is_final
    assert "2 restarts" in found.message
    (found,) = causes({**CRASHED, "restartCount": 7}, earlier=known, others=peer)
    assert found.is_final


def test_a_crash_before_our_patch_does_not_hide_what_is_wrong_now() -> None:
    weeks_ago = container_status(
        lastState=terminated("OOMKilled", 137), restartCount=5, state=STARTED
    )
    known = Before(restarts={(POD, "app"): 5})
    (found,) = causes(weeks_ago, events=[UNREADY], earlier=known)
    assert found.code == "PROBE_READINESS"


def test_events_from_before_our_patch_do_not_count() -> None:
    old = event(POD, "Unhealthy", "Readiness probe failed: 503", at=ago(minutes=2))
    (found,) = causes(NOT_READY, events=[old], earlier=Before(since=ago(minutes=1)))
    assert "503" not in found.message
    (found,) = causes(NOT_READY, events=[old], earlier=Before(since=ago(minutes=3)))
    assert "503" in found.message


def test_an_event_that_repeats_itself_is_as_old_as_its_newest_repetition() -> None:
    series = {"count": 9, "lastObservedTime": stamp(ago(seconds=2))}
    made: dict[str, Any] = {"lastTimestamp": None, "eventTime": stamp(ago(minutes=9))}
    text = "Readiness probe failed: 503"
    repeated = event(POD, "Unhealthy", text, **made, series=series)
    earlier = Before(since=ago(minutes=1))

    assert "503" in causes(NOT_READY, events=[repeated], earlier=earlier)[0].message
    once = event(POD, "Unhealthy", text, **made)
    assert "503" not in causes(NOT_READY, events=[once], earlier=earlier)[0].message


def test_a_node_whose_clock_is_a_few_seconds_behind_is_heard_all_the_same() -> None:
    behind = event(POD, "Unhealthy", "Readiness probe failed: 503", at=ago(seconds=3))
    assert "503" in causes(NOT_READY, events=[behind], earlier=Before(since=NOW))[0].message


def test_before_remembers_restarts_exits_and_what_was_broken() -> None:
    sick = pod("sick", ready=False, containers=[CRASHED], init=[container_status(name="init")])
    over = pod("over", ready=False)
    over["status"]["phase"] = "Failed"
    assert before([pod("well"), sick, over], NOW) == Before(
        restarts={("uid-sick", "init"): 0, ("uid-sick", "app"): 5},
        exits={("uid-sick", "app"): Exit(code=3, since=0)},
        broken=frozenset({"uid-sick", "uid-over"}),
        over=frozenset({"uid-over"}),
        since=NOW,
    )


def test_a_pod_that_had_ended_at_the_first_look_is_history_and_one_that_ends_since_is_told() -> (
    None
):
    over = pod("over", ready=False)
    over["status"] |= {"phase": "Failed", "reason": "DeadlineExceeded"}
    starts = pod("starts", ready=False, containers=[waiting("ContainerCreating")])
    one = looks.scene(None, replica_set(3), [over, over, over, starts])

    assert looks.causes(replace(one, earlier=first_look([over], NOW))) == ()
    (told,) = looks.causes(one, seconds=range(60))
    assert (told.code, told.is_final) == ("POD_FAILED", False)


def test_final_causes_rank_first_then_the_nearest_to_the_root() -> None:
    refused = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q")
    gone = waiting("ErrImagePull", "x: not found", image="x")
    pods = [
        pod("crash", ready=False, containers=[container_status(state=terminated("Error", 3))]),
        pod("loop", ready=False, containers=[CRASHED]),
        pod("gone", ready=False, containers=[gone]),
        pod("pull", ready=False, containers=[waiting("ErrImagePull", "i/o timeout")]),
    ]
    current = replica_set(3, status={"conditions": [refused]})
    one = looks.scene(None, current, pods[::-1], others=[looks.PEER])
    found = looks.causes(one, seconds=range(31))
    assert [(c.code, c.is_final) for c in found] == [
        ("IMAGE_NOT_FOUND", True),
        ("CRASH_LOOP", True),
        ("QUOTA", False),
        ("IMAGE_PULL", False),
        ("CRASH_LOOP", False),
    ]


@given(st.permutations(["ErrImagePull", "CreateContainerConfigError", "InvalidImageName", "x"]))
def test_the_order_of_pods_does_not_matter(reasons: list[str]) -> None:
    pods = [pod(r, ready=False, containers=[waiting(r, "not found")]) for r in reasons]
    found = looks.causes(looks.scene(pods=pods))
    assert found == looks.causes(looks.scene(pods=sorted(pods, key=json.dumps)))


REASONS = st.sampled_from(
    [
        *("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"),
        *("RunContainerError", "PostStartHookError", "CrashLoopBackOff", "FailedMount"),
        *("Unhealthy", "Failed", "FailedCreate", "Killing", "ErrImageNeverPull"),
    ]
)
HOSTILE = st.text() | st.sampled_from(
    [
        "",
        "\x1b[2J",
        "[bold]",
        "\\1\\g<0>",
        '"' * 99,
        "%s{0}",
        "a" * 70_000,
        "Readiness probe failed",
    ]
)


@given(
    reason=REASONS | st.text(),
    message=HOSTILE,
    name=HOSTILE,
    code=st.integers(0, 9),
    init=st.booleans(),
)
def test_no_text_of_the_cluster_makes_it_fail(
    reason: str, message: str, name: str, code: int, *, init: bool
) -> None:
    status = {
        "name": name,
        "image": message,
        "restartCount": code,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": terminated(reason, code, message),
    }
    made = pod(ready=False, containers=[status], init=[status] if init else [])
    made["metadata"]["name"] = name
    events = [event(POD, reason, message), event("uid-web-3", reason, message)]
    failure = condition("ReplicaFailure", "True", reason, message)
    current = replica_set(3, status={"conditions": [failure]})
    one = looks.scene(None, current, [made], events)
    found = (*looks.causes(one), *looks.pending(one))
    assert {c.code for c in found} <= set(REMEDIES)
    for cause in found:
        json.dumps(asdict(cause), default=str)


@given(st.sampled_from([None, {}, []]))
def test_a_pod_of_which_nothing_is_known_yet_does_not_make_it_fail(nothing: Any) -> None:
    bare = {"metadata": {"uid": POD}, "status": nothing, "spec": nothing}
    one = looks.scene(None, replica_set(3), [bare], [UNREADY])
    assert looks.causes(one) == ()
    assert [c.code for c in looks.pending(one)] == ["NOT_READY"]
