from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.kind import PodsSeen
from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.rollout.verdict import Complete, Failed, Progressing, Unknown, Verdict, judge
from tests.core.rollout.test_verdict import HASH, WANTED, cause
from tests.objects.controller_revisions import controller_revision
from tests.objects.stateful_sets import ordinal, stateful_set
from tests.objects.times import NOW

DONE = {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": 3}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
NEW = controller_revision(4, pods=WANTED, name="web-new")
PARTITION_1: Any = {"updateStrategy": {"rollingUpdate": {"partition": 1}}}
ON_DELETE: Any = {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}


def apart(*revisions: str, blind: bool = False) -> PodsSeen | None:
    """Return Pods by ordinal: of the new revision, of another one, or `!` in front: not Ready."""
    if blind:
        return None
    pods = [
        ordinal(n, f"web-{r.removeprefix('!')}", ready=not r.startswith("!"))
        for n, r in enumerate(revisions)
        if r
    ]
    own = [p for p in pods if p["metadata"]["labels"]["controller-revision-hash"] == "web-new"]
    return PodsSeen(own=own, others=[p for p in pods if p not in own], stored=NEW, now=NOW)


def judged(status: Any, *pods: str, causes: Any = (), blind: bool = False, **spec: Any) -> Verdict:
    workload = stateful_set(WANTED, status=status, **spec)
    return judge(
        workload,
        STATEFUL_SET,
        wanted=HASH,
        began=workload,
        seen=apart(*pods, blind=blind),
        causes=causes,
    )


def nil() -> Any:
    made = stateful_set(WANTED, status={**DONE, "updateRevision": "web-new"})
    made["spec"]["updateStrategy"] = {"type": "RollingUpdate"}
    return made


@pytest.mark.parametrize(
    ("status", "pods", "line"),
    [
        ({"replicas": 3, "readyReplicas": 2}, ("new", "new", "!new"), "1 pods to be ready"),
        (
            {**DONE, "updatedReplicas": 1},
            ("v1", "v1", "new"),
            "partitioned roll out to finish: 1 out of 3 new pods have been updated",
        ),
        ({**DONE, "availableReplicas": 2}, ("new",) * 3, "1 pods to be available"),
    ],
)
def test_it_says_what_it_waits_for(status: Any, pods: Any, line: str) -> None:
    assert judged(status, *pods) == Progressing(message=f"Waiting for {line}...")


def test_kubectls_words_for_success_are_not_those_of_a_deployment() -> None:
    words = "partitioned roll out complete: 3 new pods have been updated..."
    assert judged(DONE, "new", "new", "new") == Complete(message=words)
    assert (
        STATEFUL_SET.rolled_out(nil())
        == "statefulset rolling update complete 3 pods at revision web-new..."
    )


def test_the_pods_labels_decide_which_are_new_and_not_the_counters() -> None:
    lying = {**DONE, "currentRevision": "web-new", "updateRevision": "web-new"}
    silent = {k: v for k, v in DONE.items() if k != "updatedReplicas"}

    assert isinstance(judged(lying, "new", "new", "v1"), Progressing)
    assert isinstance(judged(silent, "new", "new", "new"), Complete)


def test_a_pod_that_is_going_counts_for_the_controller_and_not_for_us() -> None:
    """Measured: a terminating Pod is still ready and available in the status."""
    assert isinstance(judged({**DONE, "updatedReplicas": 2}, "new", "new", ""), Progressing)


def test_pods_that_cannot_be_seen_leave_it_to_the_counters() -> None:
    assert isinstance(judged(DONE, blind=True), Complete)
    assert isinstance(judged({**DONE, "updatedReplicas": 2}, blind=True), Progressing)


def test_what_is_below_the_partition_is_not_waited_for() -> None:
    assert isinstance(
        judged({**DONE, "updatedReplicas": 2}, "v1", "new", "new", **PARTITION_1), Complete
    )
    assert isinstance(judged(DONE, "new", "new", "v1", **PARTITION_1), Progressing)
    assert STATEFUL_SET.unreached(stateful_set(**PARTITION_1)).endswith("is 1: ordinal 0")
    assert STATEFUL_SET.unreached(stateful_set()) == ""


def test_the_partition_counts_from_the_lowest_ordinal() -> None:
    made = stateful_set(**PARTITION_1, ordinals={"start": 5})
    assert STATEFUL_SET.unreached(made).endswith("is 1: ordinal 5")
    assert STATEFUL_SET.unreached(
        stateful_set(updateStrategy={"rollingUpdate": {"partition": 2}}, ordinals={"start": 5})
    ).endswith("ordinals 5 to 6")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"replicas": 0}, "replicas is 0"),
        (
            {"updateStrategy": {"rollingUpdate": {"partition": 7}}},
            "the partition leaves every Pod as it is",
        ),
        ({}, ""),
    ],
)
def test_it_says_why_no_pod_would_run(spec: Any, words: str) -> None:
    assert STATEFUL_SET.idle(stateful_set(**spec)) == words


def test_on_delete_nothing_moves_until_pods_are_deleted_and_then_it_is_complete() -> None:
    waits = judged({**DONE, "updatedReplicas": 1}, "v1", "v1", "new", **ON_DELETE)
    assert isinstance(waits, Unknown)
    assert "nothing rolls out until its Pods are deleted by hand" in waits.message
    assert isinstance(judged(DONE, "new", "new", "new", **ON_DELETE), Complete)


def test_in_order_one_pod_that_cannot_is_the_end_and_in_parallel_all_of_them_are() -> None:
    status = {"replicas": 3, "readyReplicas": 1}
    broken = cause("web-2")

    assert isinstance(judged(status, "new", "!new", "!new", causes=[broken]), Failed)
    parallel: Any = {"podManagementPolicy": "Parallel"}
    both = [broken, cause("web-1")]
    assert isinstance(
        judged(status, "new", "!new", "!new", causes=[broken], **parallel), Progressing
    )
    assert isinstance(judged(status, "new", "!new", "!new", causes=both, **parallel), Failed)


def test_it_replaces_one_pod_at_a_time_and_has_no_deadline() -> None:
    pace = STATEFUL_SET.pace(stateful_set())
    assert (pace.replicas, pace.unavailable, pace.surge, pace.ordered) == (3, 1, 0, True)
    assert not STATEFUL_SET.pace(stateful_set(podManagementPolicy="Parallel")).ordered
    many = stateful_set(replicas=10, updateStrategy={"rollingUpdate": {"maxUnavailable": "25%"}})
    assert STATEFUL_SET.pace(many).unavailable == 2
    all_at_once = STATEFUL_SET.pace(stateful_set(updateStrategy={"type": "Recreate"}))
    assert (all_at_once.unavailable, all_at_once.recreates) == (3, True)
    assert STATEFUL_SET.deadline(stateful_set()) is None


def test_its_pods_are_made_with_the_volumes_of_their_claims() -> None:
    claims = [{"metadata": {"name": "data"}, "spec": {}}]
    made = STATEFUL_SET.as_made(stateful_set(volumeClaimTemplates=claims), WANTED)
    assert made["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
    ]
    assert STATEFUL_SET.as_made(stateful_set(), WANTED) is WANTED
