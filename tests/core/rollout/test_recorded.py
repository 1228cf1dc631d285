"""What the real cluster said in every situation, and the laws that a verdict keeps in all of them.

Recorded once with `BACKOUT_RECORD=1 pytest tests/cluster/watching/test_situations.py`; the live run
of each is that test.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backout.core.kubernetes import objects
from backout.core.rollout.verdict import Complete, Failed, Progressing, Superseded
from tests.core.recorded import NAMES, Recorded, judged, pods_of, recorded
from tests.situations import slim
from tests.situations.failing import FAILING
from tests.situations.healthy import HEALTHY
from tests.situations.node import ON_THE_NODE
from tests.situations.reported import RECORDED

if TYPE_CHECKING:
    import random

once = cache(recorded)
SUPERSEDED = "superseded"
ONCE = (0.0,)
# Recordings are read where a test needs them: each worker of a run collects every file.
FAILED = st.deferred(lambda: st.sampled_from([n for n in NAMES if once(n).final and once(n).code]))
ANY = st.sampled_from([n for n in NAMES if n != SUPERSEDED])


def stem(name: str) -> str:
    return name.replace(" ", "-")


def test_each_situation_is_recorded() -> None:
    assert {stem(n) for n in (*FAILING, *HEALTHY, *ON_THE_NODE, *RECORDED)} | {SUPERSEDED} == set(
        NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_holds_nothing_that_is_left_out_of_a_new_one(name: str) -> None:
    one = once(name)
    changed = name == SUPERSEDED

    assert slim.workload(one.workload, writers=changed) == one.workload
    assert slim.workload(one.began, writers=changed) == one.began
    assert [slim.workload(r) for r in one.stored] == one.stored
    assert [slim.pod(p) for p in (*one.pods, *one.earlier)] == [*one.pods, *one.earlier]
    assert [slim.event(e) for e in one.events] == one.events


@pytest.mark.parametrize("name", NAMES)
def test_the_root_cause_and_the_verdict_are_right(name: str) -> None:
    one = once(name)
    causes, verdict = judged(one)

    assert [c.code for c in causes[:1]] == ([one.code] if one.code else [])
    if name == SUPERSEDED:
        assert isinstance(verdict, Superseded)
        assert verdict.message.startswith("kubectl-set changed the Pod template at ")
    elif one.code and one.final:
        assert isinstance(verdict, Failed)
    else:
        assert isinstance(verdict, Progressing if one.code else Complete)
        assert not any(c.is_final for c in causes)


@settings(max_examples=200, deadline=None)
@given(ANY, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_what_was_seen_changes_a_word(
    name: str, chance: random.Random
) -> None:
    one = once(name)
    pods, events = list(one.pods), [*one.events, *chance.choices([*one.events], k=5)]
    chance.shuffle(pods)
    chance.shuffle(events)

    assert judged(one, pods=pods, events=_by_time(events), seconds=ONCE) == judged(
        one, seconds=ONCE
    )


def _by_time(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of one second have no order but the one in which they came: keep that one."""
    return sorted(events, key=lambda e: int(e["metadata"]["resourceVersion"]))


@settings(max_examples=60, deadline=None)
@given(FAILED, st.integers(0, 599))
def test_a_final_verdict_stays_while_nothing_changes(name: str, seconds: int) -> None:
    """Ten minutes of running without an exit are a change: then its exits are history."""
    one = once(name)
    _, verdict = judged(one, now=one.now + timedelta(seconds=seconds))

    assert isinstance(verdict, Failed)


@settings(max_examples=200, deadline=None)
@given(ANY, ANY, st.integers(0, 86400))
def test_counters_that_are_complete_are_never_called_failed_whatever_else_is_said(
    name: str, words: str, seconds: int
) -> None:
    one, other = once(name), once(words)
    now = one.now + timedelta(seconds)
    _, verdict = judged(_complete(one), events=other.events, now=now, seconds=ONCE)
    ready = sum(map(objects.is_ready, pods_of(one, one.pods)))

    is_up = ready >= objects.replicas(one.workload)
    assert isinstance(verdict, Complete if is_up else Progressing)


@pytest.mark.parametrize("name", [n for n in NAMES if n != SUPERSEDED])
def test_the_twin_of_each_situation_that_recovers_is_complete_and_has_no_cause(name: str) -> None:
    """The same Pods with the same past, restarts and events included, that are Ready in the end."""
    one = _complete(once(name))
    # The controller takes ReplicaFailure away once a Pod could be made.
    made = [{**r, "status": {**r["status"], "conditions": []}} for r in one.stored]
    twin = Recorded(**{**vars(one), "stored": made})
    pods = [*one.pods, *([] if pods_of(one, one.pods) else [_made(one)])]
    causes, verdict = judged(twin, pods=[_ready(p, one) for p in pods])

    assert causes == ()
    assert isinstance(verdict, Complete)


def _made(one: Recorded) -> dict[str, Any]:
    """Return the Pod that could not be made."""
    uid = "uid-made-at-last"
    owners = [{"uid": objects.uid(one.current), "controller": True}]
    return {"metadata": {"name": "made", "uid": uid, "ownerReferences": owners}, "status": {}}


def _ready(pod: dict[str, Any], one: Recorded) -> dict[str, Any]:
    since = one.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    up = {"ready": True, "started": True, "state": {"running": {"startedAt": since}}}
    status = {**pod["status"], "phase": "Running"}
    status["conditions"] = [
        {"type": kind, "status": "True", "lastTransitionTime": since}
        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    status["containerStatuses"] = [{**c, **up} for c in status.get("containerStatuses", [])]
    return {**pod, "status": status}


def _complete(one: Recorded) -> Recorded:
    wanted = one.workload["spec"]["replicas"]
    counters = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)
    status = {**one.workload["status"], **counters}
    made = {**vars(one), "workload": {**one.workload, "status": status}}
    return Recorded(**made)
