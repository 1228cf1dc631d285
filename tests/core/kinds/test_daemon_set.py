from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.daemon_set import DAEMON_SET
from backout.core.kinds.kind import PodsSeen
from backout.core.rollout.verdict import Complete, Progressing, Unknown, Verdict, judge
from tests.core.rollout.test_verdict import HASH, WANTED
from tests.objects.controller_revisions import controller_revision
from tests.objects.daemon_sets import daemon_set, on_node
from tests.objects.times import NOW

NEW = controller_revision(4, pods=WANTED, name="web-new")
FINISH = 'Waiting for daemon set "web" rollout to finish: '


def counted(desired: int, updated: int, available: int) -> Any:
    return {
        "desiredNumberScheduled": desired,
        "currentNumberScheduled": desired,
        "updatedNumberScheduled": updated,
        "numberReady": available,
        "numberAvailable": available,
    }


def judged(status: Any, own: Any = (), others: Any = (), lost: Any = (), **spec: Any) -> Verdict:
    workload = daemon_set(WANTED, status=status, **spec)
    seen = PodsSeen(own=list(own), others=list(others), stored=NEW, now=NOW, lost=frozenset(lost))
    return judge(workload, DAEMON_SET, wanted=HASH, began=workload, seen=seen)


def new(*nodes: str, ready: bool = True) -> list[Any]:
    return [on_node(n, "new", ready=ready) for n in nodes]


@pytest.mark.parametrize(
    ("status", "own", "others", "line"),
    [
        (counted(2, 1, 2), new("n1"), [on_node("n2")], "1 out of 2 new pods have been updated..."),
        (counted(2, 2, 1), new("n1", "n2"), [], "1 of 2 updated pods are available..."),
    ],
)
def test_it_says_what_it_waits_for_in_kubectls_words(
    status: Any, own: Any, others: Any, line: str
) -> None:
    assert judged(status, own, others) == Progressing(message=FINISH + line)


def test_pods_and_counters_have_to_agree_for_success_in_kubectls_words() -> None:
    whole = counted(2, 2, 2)
    done = Complete(message='daemon set "web" successfully rolled out')

    assert judged(whole, new("n1", "n2")) == done
    assert isinstance(judged(whole, [*new("n1"), *new("n2", ready=False)]), Progressing)
    assert isinstance(judged(counted(2, 2, 1), new("n1", "n2")), Progressing)


def test_a_pod_of_another_template_beside_a_new_one_is_not_done_though_no_counter_tells() -> None:
    """Measured: of each node the oldest Pod alone is counted."""
    beside = [on_node("n1", "v1")]
    assert isinstance(judged(counted(1, 1, 1), new("n1"), beside), Progressing)
    going = [on_node("n1", "v1", metadata={"deletionTimestamp": "2026-11-28T00:00:00Z"})]
    assert isinstance(judged(counted(1, 1, 1), new("n1"), going), Complete)


@pytest.mark.parametrize(
    "there",
    [[on_node("n3", "v1", ready=False)], new("n3", ready=False)],
    ids=["an old Pod", "a new Pod"],
)
def test_a_node_that_does_not_answer_is_not_waited_for(there: Any) -> None:
    own = [p for p in there if "new" in p["metadata"]["name"]]
    others = [p for p in there if p not in own]
    status = counted(3, 2, 2)

    assert isinstance(judged(status, [*new("n1", "n2"), *own], others, {"n3"}), Complete)
    assert isinstance(judged(status, [*new("n1", "n2"), *own], others), Progressing)
    # What answers is waited for all the same.
    assert isinstance(judged(status, [*new("n1"), *own], others, {"n3"}), Progressing)


def test_no_node_at_all_is_rolled_out_as_kubectl_says_and_nothing_to_verify() -> None:
    assert isinstance(judged(counted(0, 0, 0)), Complete)
    assert "no node is to run it" in DAEMON_SET.idle(daemon_set(status=counted(0, 0, 0)))
    assert DAEMON_SET.idle(daemon_set(status=counted(1, 0, 0))) == ""
    unobserved = daemon_set(status={"observedGeneration": 3, **counted(0, 0, 0)})
    assert DAEMON_SET.idle(unobserved) == ""


def test_on_delete_nothing_moves_until_pods_are_deleted() -> None:
    waits = judged(
        counted(1, 0, 1),
        (),
        [on_node("n1")],
        updateStrategy={"type": "OnDelete", "rollingUpdate": {}},
    )
    assert isinstance(waits, Unknown)
    assert "its Pods are deleted by hand" in waits.message


@pytest.mark.parametrize(
    ("rolling", "unavailable", "surge"),
    [
        ({}, 1, 0),
        ({"maxUnavailable": "10%"}, 1, 0),
        ({"maxUnavailable": "25%"}, 2, 0),
        ({"maxUnavailable": 0, "maxSurge": "15%"}, 0, 1),
    ],
)
def test_shares_of_its_pods_are_rounded_up(rolling: Any, unavailable: int, surge: int) -> None:
    made = daemon_set(status=counted(5, 5, 5), updateStrategy={"rollingUpdate": rolling})
    pace = DAEMON_SET.pace(made)
    assert (pace.replicas, pace.unavailable, pace.surge) == (5, unavailable, surge)


def test_how_many_nodes_another_template_is_for_is_not_known_but_one_at_least() -> None:
    assert DAEMON_SET.pace(daemon_set(status=counted(0, 0, 0))).replicas == 1


def test_a_pod_that_waits_for_its_node_is_of_the_node_that_it_is_bound_to() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["n3"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    waiting = on_node("n3", "new", ready=False, spec={"nodeName": None, "affinity": affinity})
    status = counted(2, 2, 1)

    assert isinstance(judged(status, [*new("n1"), waiting], lost={"n3"}), Complete)


def test_its_pods_are_made_with_the_tolerations_that_its_controller_adds() -> None:
    made = DAEMON_SET.as_made(daemon_set(), WANTED)
    keys = {t["key"] for t in made["spec"]["tolerations"]}
    assert "node.kubernetes.io/unschedulable" in keys
    assert "node.kubernetes.io/network-unavailable" not in keys
