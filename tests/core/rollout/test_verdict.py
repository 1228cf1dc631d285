from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.diagnosis.causes import Cause
from backout.core.diagnosis.groups import Ground, row
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.kind import PodsSeen
from backout.core.kubernetes import template as templates
from backout.core.kubernetes.objects import is_ready
from backout.core.rollout.verdict import (
    Complete,
    Failed,
    Progressing,
    Superseded,
    Unknown,
    Verdict,
    judge,
)
from tests.objects.deployments import deployment
from tests.objects.metadata import condition
from tests.objects.pods import pod
from tests.objects.templates import template
from tests.objects.times import NOW
from tests.objects.workloads import UID

WANTED = template("reg.example/app:v2")
HASH = templates.digest(WANTED)
FINISH = 'Waiting for deployment "web" rollout to finish: '
DONE = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}


def judged(
    status: Any, *, pods: Any = None, causes: Any = (), generation: int = 4, **spec: Any
) -> Verdict:
    workload = deployment(WANTED, status=status, **spec)
    seen = None if pods is None else PodsSeen(own=pods, others=(), stored=None, now=NOW)
    return judge(
        workload, DEPLOYMENT, wanted=HASH, began=began(generation), seen=seen, causes=causes
    )


def began(generation: int = 4, uid: str = UID) -> Any:
    """Return the workload as it was when the rollout began."""
    return deployment(WANTED, metadata={"generation": generation, "uid": uid})


def cause(name: str, *, final: bool = True, uid: str = "") -> Cause:
    return Cause(
        code="CRASH_LOOP",
        uid=uid or f"uid-{name}",
        subject=f"Pod {name}",
        message=f"{name} ends with exit 3",
        evidence="",
        remedy="",
        ground=Ground(row=row("CRASH_LOOP")),
        is_final=final,
    )


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"observedGeneration": 3, **DONE}, "Waiting for deployment spec update to be observed..."),
        (
            {"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3},
            FINISH + "1 out of 3 new replicas have been updated...",
        ),
        (
            {"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4},
            FINISH + "1 old replicas are pending termination...",
        ),
        (
            {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2},
            FINISH + "2 of 3 updated replicas are available...",
        ),
    ],
)
def test_it_says_what_it_waits_for_in_kubectls_words(status: Any, line: str) -> None:
    assert judged(status) == Progressing(message=line)


def test_complete_counters_for_the_observed_generation_are_success_in_kubectls_words() -> None:
    assert judged(DONE) == Complete(message='deployment "web" successfully rolled out')


def test_a_pod_that_is_no_longer_ready_is_no_success_whatever_the_counters_still_say() -> None:
    ready, died = [pod(f"web-3-{i}") for i in "ab"], pod("web-3-c", ready=False)
    assert judged(DONE, pods=[*ready, died]) == Progressing(
        message=FINISH + "2 of 3 Pods are Ready..."
    )
    assert isinstance(judged(DONE, pods=[*ready, pod("web-3-c")]), Complete)
    # One more that is being started, as after a scale-up that was taken back, does not matter.
    assert isinstance(judged(DONE, pods=[*ready, pod("web-3-d"), died]), Complete)


def test_counters_and_pods_that_disagree_are_neither_success_nor_failure() -> None:
    pods = [pod("a"), pod("b"), pod("c", ready=False)]
    assert isinstance(judged(DONE, pods=pods, causes=[cause("c")]), Progressing)
    # Paused, nothing is rolled out, and a Pod that died is started again all the same.
    assert isinstance(judged(DONE, pods=pods, paused=True), Progressing)


def test_pods_that_cannot_be_seen_leave_it_to_the_counters() -> None:
    assert isinstance(judged(DONE, seen=None), Complete)
    assert isinstance(judged(DONE, pods=[]), Progressing)


def test_absent_counters_are_zero_and_so_complete_only_a_workload_of_no_replicas() -> None:
    assert isinstance(judged({}, replicas=0), Complete)
    assert isinstance(judged({}), Progressing)


def test_the_8_ms_after_an_undo_in_which_all_else_is_still_the_old_rollouts_are_not_success() -> (
    None
):
    # Observed is current already; reason and counters are those of the old template's Pods.
    old = {
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "conditions": [condition("Progressing", "True", "NewReplicaSetAvailable")],
    }
    assert isinstance(judged(old), Progressing)
    # With Recreate all counters are absent.
    assert isinstance(judged({"conditions": old["conditions"]}), Progressing)
    # And before it, the old counters under the old generation.
    assert isinstance(judged({**DONE, "observedGeneration": 3}), Progressing)


def test_an_object_older_than_our_patch_is_never_success() -> None:
    assert isinstance(judged(DONE, generation=5), Progressing)


def test_a_stale_progress_deadline_is_ignored() -> None:
    stale = {"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]}
    assert isinstance(judged({**DONE, **stale}), Complete)
    assert isinstance(judged({"replicas": 4, "updatedReplicas": 1, **stale}), Progressing)


def test_more_updated_pods_than_wanted_are_not_success() -> None:
    surplus = {"replicas": 4, "updatedReplicas": 4, "availableReplicas": 4}
    verdict = judged(surplus)
    assert isinstance(verdict, Progressing)
    assert "1 surplus replicas" in verdict.message


@pytest.mark.parametrize("replicas", [0, 1, 9])
def test_scaling_does_not_supersede(replicas: int) -> None:
    assert not isinstance(judged({"observedGeneration": 5}, replicas=replicas), Superseded)


def test_a_change_of_the_template_supersedes_and_tells_by_whom() -> None:
    workload = deployment(
        template("reg.example/app:v9"),
        status=DONE,
        metadata={
            "managedFields": [
                {"manager": "kube-controller-manager", "fieldsV1": {"f:status": {}}},
                {
                    "manager": "backout",
                    "time": "2026-03-01T12:00:00Z",
                    "fieldsV1": {"f:spec": {"f:template": {}}},
                },
                {
                    "manager": "argocd-controller",
                    "time": "2026-03-01T12:00:09Z",
                    "fieldsV1": {"f:spec": {"f:template": {}}},
                },
            ]
        },
    )
    verdict = judge(workload, DEPLOYMENT, wanted=HASH, began=began(), seen=None)
    assert isinstance(verdict, Superseded)
    assert "argocd-controller" in verdict.message
    del workload["metadata"]["managedFields"]
    assert isinstance(
        judge(workload, DEPLOYMENT, wanted=HASH, began=began(), seen=None), Superseded
    )


def test_who_had_written_it_before_is_no_rival_where_times_are_the_same_second() -> None:
    def entry(manager: str) -> dict[str, Any]:
        owned: dict[str, Any] = {"f:spec": {"f:template": {}}}
        return {"manager": manager, "time": "2026-03-01T12:00:09Z", "fieldsV1": owned}

    known = deployment(WANTED, metadata={"managedFields": [entry("zz-deploys")]})
    both = {"managedFields": [entry("kubectl"), entry("zz-deploys")]}
    workload = deployment(metadata=both, status=DONE)
    verdict = judge(workload, DEPLOYMENT, wanted=HASH, began=known, seen=None)

    assert isinstance(verdict, Superseded)
    assert verdict.message.startswith("kubectl changed")


def test_a_workload_that_is_gone_or_made_anew_supersedes() -> None:
    gone = judge(None, DEPLOYMENT, wanted=HASH, began=began(), seen=None)
    workload = deployment(WANTED, status=DONE)
    anew = judge(workload, DEPLOYMENT, wanted=HASH, began=began(uid="uid-before"), seen=None)
    for verdict in (gone, anew):
        assert isinstance(verdict, Superseded)
        assert "deleted" in verdict.message


def test_a_paused_rollout_is_unknown_and_a_complete_one_complete_all_the_same() -> None:
    verdict = judged({"replicas": 4, "updatedReplicas": 1}, paused=True)
    assert isinstance(verdict, Unknown)
    assert "paused" in verdict.message
    assert verdict.remedy.endswith(": kubectl rollout resume deployment/web -n shop")
    assert isinstance(judged(DONE, paused=True), Complete)


STUCK = {"replicas": 4, "updatedReplicas": 2, "availableReplicas": 3}
ONE, TWO = pod("one", ready=False), pod("two", ready=False)


def test_it_has_failed_when_every_pod_that_is_not_ready_has_a_final_cause() -> None:
    causes = (cause("one"), cause("two"))
    verdict = judged(STUCK, pods=(ONE, TWO, pod("well")), causes=causes)
    assert verdict == Failed(message="one ends with exit 3", causes=causes)


def test_while_one_pod_may_still_become_ready_it_is_progressing() -> None:
    for causes in ((cause("one"),), (cause("one"), cause("two", final=False)), ()):
        assert isinstance(judged(STUCK, pods=(ONE, TWO), causes=causes), Progressing)


def test_it_has_failed_when_no_pod_can_be_created() -> None:
    refused = cause("rs", uid=UID)
    assert isinstance(judged(STUCK, causes=(refused,)), Failed)
    assert isinstance(judged(STUCK, pods=(pod("well"),), causes=(refused,)), Failed)
    assert isinstance(judged(STUCK, pods=(ONE,), causes=(refused,)), Progressing)
    assert isinstance(judged(STUCK, causes=(cause("rs", uid=UID, final=False),)), Progressing)


def test_a_final_cause_of_a_pod_that_is_no_longer_there_fails_nothing() -> None:
    assert isinstance(judged(STUCK, pods=(pod("well"),), causes=(cause("one"),)), Progressing)


counters = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(0, 5),
        "updatedReplicas": st.integers(0, 5),
        "availableReplicas": st.integers(0, 5),
        "readyReplicas": st.integers(0, 5),
        "observedGeneration": st.integers(3, 5),
        "conditions": st.lists(
            st.sampled_from(
                [
                    condition("Progressing", "False", "ProgressDeadlineExceeded"),
                    condition("Progressing", "True", "NewReplicaSetAvailable"),
                    condition("ReplicaFailure", "True", "FailedCreate"),
                    condition("Available", "False"),
                ]
            )
        ),
    },
)
some_pods = st.lists(st.sampled_from([ONE, TWO, pod("well")]), max_size=3)
some_causes = st.lists(
    st.sampled_from([cause("one"), cause("two"), cause("two", final=False), cause("x", uid=UID)]),
    max_size=3,
)


@given(
    status=counters,
    pods=some_pods,
    causes=some_causes,
    replicas=st.integers(0, 4),
    paused=st.booleans(),
)
def test_success_is_exactly_the_safe_test_and_never_a_failure_at_once(
    status: Any, pods: Any, causes: Any, replicas: int, *, paused: bool
) -> None:
    verdict = judged(status, pods=pods, causes=causes, replicas=replicas, paused=paused)
    updated = status.get("updatedReplicas", 0)
    safe = (
        status.get("observedGeneration", 4) >= 4
        and updated == replicas
        and status.get("replicas", 0) == updated
        and status.get("availableReplicas", 0) >= updated
        and sum(map(is_ready, pods)) >= replicas
    )
    assert isinstance(verdict, Complete) == safe
    if isinstance(verdict, Failed):
        assert any(c.is_final for c in causes)


@given(counters, some_pods, some_causes)
def test_the_order_of_pods_causes_and_conditions_does_not_matter(
    status: Any, pods: Any, causes: Any
) -> None:
    kinds = {
        type(judged({**status, "conditions": c}, pods=p, causes=k))
        for c in itertools.islice(itertools.permutations(status.get("conditions", [])[:3]), 6)
        for p in itertools.permutations(pods)
        for k in itertools.permutations(causes)
    }
    assert len(kinds) == 1
