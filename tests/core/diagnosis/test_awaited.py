"""Something is always named: what is awaited where nothing is wrong yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backout.core.diagnosis.peers import standing_by
from backout.core.rollout.verdict import stands_by
from tests.core.diagnosis.looks import causes, pending, scene, stuck
from tests.objects.deployments import deployment
from tests.objects.events import event
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, stamp

POD = "uid-web-3-a"
CREATING = waiting("ContainerCreating")
PROBED = template(readinessProbe={"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1})
LONG_AGO = {"creationTimestamp": stamp(NOW - timedelta(minutes=5))}


def test_an_image_that_is_being_pulled_is_named_and_no_volume_is_blamed() -> None:
    pulling = event(POD, "Pulling", 'Pulling image "reg.example/app:v9"', type="Normal")
    (told,) = pending(stuck(CREATING, events=[pulling]))
    assert told.code == "IMAGE_PULLING"
    assert "image reg.example/app:v9 is being pulled" in told.message

    pulled = event(POD, "Pulled", "Successfully pulled", at=NOW + timedelta(seconds=9))
    (told,) = pending(stuck(CREATING, events=[pulling, pulled]))
    assert (told.code, told.is_context) == ("NOT_READY", True)
    assert "container app waits (ContainerCreating)" in told.message


def test_an_old_pod_that_terminates_is_named_with_what_holds_it() -> None:
    ends = stamp(NOW - timedelta(seconds=10))
    going: dict[str, Any] = {"deletionTimestamp": ends, "deletionGracePeriodSeconds": 30}
    held = pod("old", of="web-2", metadata={**going, "finalizers": ["x.example/hold"]})
    (told,) = pending(scene(others=[held]))
    assert (told.code, told.subject) == ("TERMINATING", "Pod old")
    assert told.message == "it is terminating since 40 s; finalizer x.example/hold holds it"

    (told,) = pending(scene(others=[pod("old", of="web-2", metadata=going)]))
    assert told.message == "it is terminating since 40 s; its grace period is 30 s"


def test_else_the_pods_own_conditions_are_told_verbatim() -> None:
    unmet = condition("PodReadyToStartContainers", "False", "Why", "since when")
    (told,) = pending(stuck(CREATING, conditions=[unmet]))
    assert "PodReadyToStartContainers=False (Why: since when)" in told.message


def test_conditions_that_only_echo_a_container_that_waits_are_evidence_and_no_words() -> None:
    echo = condition(
        "Ready", "False", "ContainersNotReady", "containers with unready status: [app]"
    )
    bare = {"type": "PodReadyToStartContainers", "status": "False"}
    (told,) = pending(stuck(CREATING, conditions=[bare, echo]))
    assert told.message == "container app waits (ContainerCreating); phase Pending"
    assert "Ready=False (ContainersNotReady: " in told.evidence


def test_and_where_there_is_no_pod_the_workloads() -> None:
    failed = condition("Progressing", "False", "ReplicaSetCreateError", "no")
    (told,) = pending(scene(deployment(status={"conditions": [failed]})))
    assert told.message == "Progressing=False (ReplicaSetCreateError): no"


def test_a_container_that_is_up_again_is_told_by_its_last_exit() -> None:
    up = container_status(ready=True, restartCount=2, lastState=terminated("Error", 5))
    one = scene(None, replica_set(3), [pod(containers=[up])])

    assert causes(one) == ()
    first, *_ = pending(one)
    assert (first.code, first.is_final, first.is_context) == ("CRASH_LOOP", False, False)
    assert first.message == "container app ends with exit 5, 2 restarts"


def test_where_nobody_says_anything_the_controllers_own_counts_are_told() -> None:
    counted = {"updatedReplicas": 3, "replicas": 3, "readyReplicas": 3, "availableReplicas": 1}
    (told,) = pending(scene(deployment(status=counted, minReadySeconds=30), pods=[pod()]))
    assert "3 of 3 updated, 3 ready, 1 available, 3 in all" in told.message
    assert "Ready for 30 s (minReadySeconds)" in told.message

    (told,) = pending(scene(deployment(status={"observedGeneration": 3})))
    assert told.message == (
        "its controller has not acted on the newest spec (generation 4, seen 3)"
    )


def running(name: str, *, ready: bool, restarts: int = 0, **made: Any) -> dict[str, Any]:
    status = container_status(ready=ready, restartCount=restarts)
    return pod(name, ready=ready, containers=[status], spec=PROBED["spec"], **made)


def test_active_and_passive_pods_are_known_by_one_that_is_ready_and_one_that_stands_by() -> None:
    active = running("a", ready=True, metadata=LONG_AGO)
    passive = running("b", ready=False, metadata=LONG_AGO)
    young = {"creationTimestamp": stamp(NOW)}

    assert standing_by([active, passive], NOW) == 1
    assert standing_by([passive, running("c", ready=False, metadata=LONG_AGO)], NOW) == 0
    assert standing_by([active], NOW) == 0
    assert standing_by([active, running("b", ready=False, metadata=young)], NOW) == 0
    crashes = running("b", ready=False, restarts=1, metadata=LONG_AGO)
    assert standing_by([active, crashes], NOW) == 0
    assert standing_by([active, running("b", ready=False, of="web-2", metadata=LONG_AGO)], NOW) == 0


def test_as_many_ready_as_before_is_no_failure_where_the_others_only_stand_by() -> None:
    active, passive = running("a", ready=True), running("b", ready=False)
    crashes = running("b", ready=False, restarts=2)

    assert stands_by([active, passive], [], 1)
    assert not stands_by([active, passive], [], 2)
    assert not stands_by([active, passive], [], 0)
    assert not stands_by([active, crashes], [], 1)
