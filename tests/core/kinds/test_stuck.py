"""The trap (kubernetes#67250): in which cells a rollback is held up, and which Pod may be deleted.

Every rule of the predicate has a case where it alone keeps a Pod from being deleted
(docs/stateful-sets.md, measured on 1.34.4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backout.core.kinds.kind import PodsSeen, StuckPod
from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.rollout.replacing import to_delete
from tests.core.rollout.test_verdict import HASH, WANTED
from tests.objects.controller_revisions import controller_revision
from tests.objects.metadata import condition, merged
from tests.objects.pods import container_status, terminated, waiting
from tests.objects.stateful_sets import ordinal, stateful_set
from tests.objects.times import NOW, ago, stamp
from tests.objects.workloads import UID

DOCS = Path(__file__).parents[3] / "docs/stateful-sets.md"
NEW = controller_revision(4, pods=WANTED, name="web-new")
OLD = controller_revision(3, name="web-bad")
BACK = {"currentRevision": "web-new", "updateRevision": "web-new"}
PARTITION_0: Any = {"updateStrategy": {"rollingUpdate": {"partition": 0}}}
PARTITION_1: Any = {"updateStrategy": {"rollingUpdate": {"partition": 1}}}
ON_DELETE: Any = {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}

FAILURES: dict[str, Any] = {
    "image missing": {"phase": "Pending", "containers": [waiting("ImagePullBackOff")]},
    "crash loop": {
        "phase": "Running",
        "containers": [waiting("CrashLoopBackOff", lastState=terminated("Error", 3))],
    },
    "never ready": {"phase": "Running", "containers": [container_status()]},
    "missing ConfigMap": {
        "phase": "Pending",
        "containers": [waiting("CreateContainerConfigError")],
    },
    "unschedulable": {
        "phase": "Pending",
        "conditions": [condition("PodScheduled", "False", "Unschedulable")],
    },
}
STRATEGIES: dict[str, Any] = {
    "RollingUpdate, partition 0": PARTITION_0,
    "RollingUpdate, partition 1": PARTITION_1,
    "RollingUpdate, maxUnavailable 2": {
        "updateStrategy": {"rollingUpdate": {"partition": 0, "maxUnavailable": 2}}
    },
    "OnDelete": ON_DELETE,
}


def seen(*pods: Any) -> PodsSeen:
    own = [p for p in pods if p["metadata"]["labels"]["controller-revision-hash"] == "web-new"]
    return PodsSeen(own=own, others=[p for p in pods if p not in own], stored=NEW, now=NOW)


def good(place: int, **how: Any) -> Any:
    return ordinal(place, "web-new", **how)


def bad(place: int, **how: Any) -> Any:
    return ordinal(place, "web-bad", ready=False, **how)


def undone(**spec: Any) -> Any:
    """Return a StatefulSet whose controller has seen that it went back."""
    return stateful_set(WANTED, status=BACK, **spec)


def without_parameters(**status: str) -> Any:
    made = stateful_set(WANTED, status={**BACK, **status})
    made["spec"]["updateStrategy"] = {"type": "RollingUpdate"}
    return made


def cell(policy: str, strategy: str, failure: str) -> str:
    """Return what becomes of a rollback where ordinal 2 was broken by the bad template."""
    workload = undone(podManagementPolicy=policy, **STRATEGIES[strategy])
    pods = seen(good(0), good(1), bad(2, **FAILURES[failure]))
    if STATEFUL_SET.unmoving(workload) is not None:
        return "by hand"
    found = STATEFUL_SET.stuck(workload, pods)
    assert found is None or found.is_safe
    return "by itself" if found is None else "**held up**"


def table() -> str:
    head = ["podManagementPolicy", "updateStrategy", *FAILURES]
    rows = [head, ["---"] * len(head)]
    for policy in ("OrderedReady", "Parallel"):
        rows += [[policy, s, *(cell(policy, s, f) for f in FAILURES)] for s in STRATEGIES]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_page_has_the_matrix_as_the_code_has_it() -> None:
    assert table() in DOCS.read_text(), f"docs/stateful-sets.md should have\n{table()}"


@pytest.mark.parametrize("failure", FAILURES)
def test_in_order_every_failure_holds_the_rollback_up_and_in_parallel_none(failure: str) -> None:
    assert cell("OrderedReady", "RollingUpdate, partition 0", failure) == "**held up**"
    assert cell("Parallel", "RollingUpdate, partition 0", failure) == "by itself"


def stuck(workload: Any, *pods: Any) -> StuckPod | None:
    return STATEFUL_SET.stuck(workload, seen(*pods))


def deleted(workload: Any, *pods: Any, before: Any = None, wanted: str = HASH) -> str:
    """Return the name of the Pod that would be deleted now, empty where none would."""
    found = to_delete(
        workload,
        STATEFUL_SET,
        [OLD, NEW],
        list(pods),
        uid=UID,
        wanted=wanted,
        now=NOW,
        before=before or {},
    )
    return str(found.pod["metadata"]["name"]) if found is not None else ""


def test_the_broken_pod_is_the_one_to_delete() -> None:
    assert deleted(undone(), good(0), good(1), bad(2)) == "web-2"


@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(undone(podManagementPolicy="Parallel"), id="parallel"),
        pytest.param(undone(**ON_DELETE), id="on delete"),
        pytest.param(
            undone(updateStrategy={"type": "Recreate"}), id="a strategy that repairs it by itself"
        ),
        pytest.param(
            merged(undone(), {"metadata": {"generation": 5}}), id="the controller has not seen it"
        ),
        pytest.param(
            stateful_set(WANTED, status={**BACK, "updateRevision": "web-bad"}),
            id="the controller goes elsewhere still",
        ),
        pytest.param(stateful_set(status=BACK), id="somebody else has changed the template"),
        pytest.param(
            merged(undone(), {"metadata": {"uid": "uid-another"}}), id="made anew under its name"
        ),
        pytest.param(
            merged(undone(), {"metadata": {"deletionTimestamp": stamp(NOW)}}), id="being deleted"
        ),
    ],
)
def test_no_pod_is_deleted_of_a_workload_that_is_another_or_moves_by_itself(workload: Any) -> None:
    assert deleted(workload, good(0), good(1), bad(2)) == ""


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(ordinal(2, "web-bad"), id="Ready"),
        pytest.param(good(2, ready=False), id="of the target"),
        pytest.param(bad(2, metadata={"deletionTimestamp": stamp(NOW)}), id="going already"),
        pytest.param(bad(2, phase="Failed"), id="ended: the controller replaces it"),
        pytest.param(
            bad(2, metadata={"ownerReferences": [{"uid": "uid-another", "controller": True}]}),
            id="of another workload",
        ),
    ],
)
def test_such_a_pod_is_never_deleted(pod: Any) -> None:
    assert deleted(undone(), good(0), good(1), pod) == ""


def test_a_pod_that_is_ready_and_not_yet_available_is_not_deleted() -> None:
    young = bad(2)
    young["status"]["conditions"] = [
        {**condition("Ready", "True"), "lastTransitionTime": stamp(ago(seconds=2))}
    ]
    assert deleted(undone(minReadySeconds=30), good(0), good(1), young) == ""


def test_a_lower_good_pod_that_is_not_ready_keeps_the_broken_one_from_being_deleted() -> None:
    """Case A: it would not be made anew, and one Pod more would be missing."""
    assert deleted(undone(), good(0, ready=False), good(1), bad(2)) == ""
    assert deleted(undone(), good(1), bad(2)) == ""


def test_of_several_broken_pods_the_lowest_is_deleted_first() -> None:
    """Case B: behind one that is not available nothing is made anew."""
    assert deleted(undone(), good(0), bad(1), bad(2)) == "web-1"
    # Until its successor is available no other is.
    assert deleted(undone(), good(0), good(1, ready=False), bad(2)) == ""
    assert deleted(undone(), good(0), good(1), bad(2)) == "web-2"


def test_a_lower_pod_has_to_be_available_and_not_only_ready() -> None:
    ready = {**condition("Ready", "True"), "lastTransitionTime": stamp(ago(seconds=2))}
    lower = good(0)
    lower["status"]["conditions"] = [ready]
    held = good(0)
    held["status"]["conditions"] = [{**ready, "lastTransitionTime": stamp(ago(minutes=2))}]
    middle = merged(held, {"metadata": {"name": "web-1"}})

    assert deleted(undone(minReadySeconds=30), lower, middle, bad(2)) == ""
    assert deleted(undone(minReadySeconds=30), held, middle, bad(2)) == "web-2"


def test_what_would_be_made_of_the_bad_template_again_is_not_deleted_and_the_way_out_is_told() -> (
    None
):
    """Case C: no parameters of the rolling update, and the bad rollout was complete once."""
    complete = without_parameters(currentRevision="web-bad")
    pods = (bad(0), bad(1), bad(2))
    found = stuck(complete, *pods)

    assert deleted(complete, *pods) == ""
    assert found is not None
    assert "made of the template before again" in found.why
    assert found.remedy.startswith("kubectl patch statefulset web -n shop --type=merge -p ")
    assert found.remedy.endswith("&& kubectl delete pod web-0 -n shop")
    # One that never was complete is harmless.
    assert deleted(without_parameters(), good(0), good(1), bad(2)) == "web-2"


def test_a_good_pod_below_the_partition_is_never_deleted() -> None:
    """Case D: outdated and not Ready, for a reason of its own."""
    below = ordinal(0, "web-v1", ready=False)
    found = stuck(undone(**PARTITION_1), below, good(1), good(2))

    assert deleted(undone(**PARTITION_1), below, good(1), good(2)) == ""
    assert found is not None
    assert "below the partition" in found.why
    assert found.remedy.startswith("see why it is not Ready: kubectl describe pod web-0")
    assert deleted(undone(**PARTITION_1), ordinal(0, "web-v1"), bad(1), good(2)) == "web-1"


def test_the_partition_counts_from_the_lowest_ordinal() -> None:
    spec = {**PARTITION_1, "ordinals": {"start": 5}, "replicas": 2}
    assert deleted(undone(**spec), ordinal(5, "web-v1", ready=False), bad(6)) == ""
    assert deleted(undone(**spec), ordinal(5, "web-v1"), bad(6)) == "web-6"


def test_of_one_name_no_second_pod_is_deleted_and_the_same_one_again_may_be() -> None:
    pods = (good(0), good(1), bad(2))
    assert deleted(undone(), *pods, before={"web-2": "uid-of-another"}) == ""
    assert deleted(undone(), *pods, before={"web-2": "uid-web-2"}) == "web-2"


def test_before_the_patch_it_is_foreseen_and_nothing_is_deleted() -> None:
    status = {"currentRevision": "web-new", "updateRevision": "web-bad"}
    ahead = stateful_set(status=status)
    found = stuck(ahead, good(0), good(1), bad(2))

    assert found is not None
    assert found.is_safe
    assert not found.is_due
    assert deleted(ahead, good(0), good(1), bad(2)) == ""


def test_a_pod_of_the_target_that_fails_is_no_trap() -> None:
    assert stuck(undone(), good(0), good(1, ready=False), bad(2)) is None
