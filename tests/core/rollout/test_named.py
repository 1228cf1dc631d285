"""A rollout that makes no progress has a cause, whatever its Pods and its controller say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.kind import PodsSeen
from backout.core.kubernetes import objects
from backout.core.kubernetes import template as templates
from backout.core.rollout.verdict import Failed, Progressing, judge
from tests.core.diagnosis import looks
from tests.core.recorded import NAMES, judged, pods_of, recorded
from tests.objects.deployments import deployment
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, stamp

if TYPE_CHECKING:
    from backout.core.diagnosis.diagnosis import Scene

WANTED = template("reg.example/app:v3")
GOING = {"deletionTimestamp": stamp(NOW), "deletionGracePeriodSeconds": 30}
STATUSES = st.sampled_from(
    [
        container_status(ready=True),
        container_status(ready=True, restartCount=1, lastState=terminated("Error", 3)),
        container_status(),
        waiting("ContainerCreating"),
        waiting("SomethingNew", "that nobody knows"),
        container_status(state=terminated("Completed", 0)),
    ]
)
PODS = st.builds(
    lambda status, ready, phase, going: pod(
        ready=ready, containers=[status], phase=phase, metadata=GOING if going else None
    ),
    STATUSES,
    st.booleans(),
    st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"]),
    st.booleans(),
)
OLD = st.sampled_from([pod("old", of="web-2"), pod("old", of="web-2", metadata=GOING)])
COUNTERS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
CONDITIONS = st.sampled_from(
    [
        condition("Progressing", "True", "ReplicaSetUpdated"),
        condition("Available", "False", "MinimumReplicasUnavailable"),
        condition("ReplicaFailure", "True", "FailedCreate", "no"),
    ]
)
COUNTED = st.fixed_dictionaries(
    {
        "observedGeneration": st.sampled_from([3, 4]),
        "conditions": st.lists(CONDITIONS, max_size=1),
        **{name: st.integers(0, 4) for name in COUNTERS},
    }
)


def is_named(scene: Scene) -> bool:
    return bool(looks.causes(scene) or looks.pending(scene))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(
    status=COUNTED,
    pods=st.lists(PODS, max_size=3),
    old=st.lists(OLD, max_size=2),
    held=st.sampled_from([0, 30]),
    stored=st.booleans(),
)
def test_whatever_is_not_done_has_a_cause(
    status: dict[str, Any], pods: Any, old: Any, held: int, *, stored: bool
) -> None:
    workload = deployment(WANTED, status=status, minReadySeconds=held)
    current = replica_set(3, pods=WANTED) if stored else None
    made = [{**p, "metadata": {**p["metadata"], "uid": f"uid-{n}"}} for n, p in enumerate(pods)]
    scene = looks.scene(workload, current, made, others=old)
    verdict = judge(
        workload,
        DEPLOYMENT,
        wanted=templates.digest(WANTED),
        began=workload,
        seen=PodsSeen(own=made, others=old, stored=current, now=NOW),
        causes=looks.causes(scene),
    )

    if isinstance(verdict, Progressing | Failed):
        assert is_named(scene), (status, pods)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_nor_does_one_of_a_recorded_situation_lack_it_at_any_moment(name: str, chance: Any) -> None:
    """Each Pod may be Ready at the moment, and what was told of it may have been forgotten."""
    one = recorded(name)
    pods = [_ready(p) if chance.random() < 0.5 else p for p in one.pods]
    events = [e for e in one.events if chance.random() < 0.5]
    causes, verdict = judged(one, pods=pods, events=events, seconds=(0.0,))

    if isinstance(verdict, Progressing | Failed):
        own = pods_of(one, pods)
        scene = looks.scene(
            one.workload,
            one.current,
            own,
            events,
            now=one.now,
            others=[p for p in pods if p not in own],
        )
        assert causes or looks.pending(scene)


def _ready(pod: dict[str, Any]) -> dict[str, Any]:
    others = [c for c in pod["status"].get("conditions", ()) if c["type"] != "Ready"]
    made = [*others, condition("Ready", "True")]
    assert objects.name(pod)
    return {**pod, "status": {**pod["status"], "conditions": made}}
