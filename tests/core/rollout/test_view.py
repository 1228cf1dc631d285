from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.rollout.view import view, word
from tests.objects.deployments import deployment
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting

DONE = container_status(name="init", state=terminated("Completed", 0))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pod(containers=[container_status(ready=True)]), "Ready"),
        (pod(metadata={"deletionTimestamp": "now"}), "Terminating"),
        (pod(ready=False, containers=[waiting("CrashLoopBackOff")]), "CrashLoopBackOff"),
        (pod(ready=False, containers=[container_status(state=terminated("Error", 3))]), "Error"),
        (pod(ready=False, init=[DONE], containers=[waiting("PodInitializing")]), "PodInitializing"),
        (pod(ready=False), "Pending"),
        ({"metadata": {}, "status": None}, "Pending"),
    ],
)
def test_a_pods_state_is_told_in_a_word(made: dict[str, Any], expected: str) -> None:
    assert word(made) == expected


def test_running_and_not_ready_is_told_as_what_it_is() -> None:
    made = pod(ready=False, containers=[container_status()])
    made["status"]["phase"] = "Running"
    assert word(made) == "not ready"


def test_the_view_counts_by_state_and_lists_the_wanted_revisions_pods_first() -> None:
    web = deployment(
        status={"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3}, replicas=3
    )
    new = pod("new", ready=False, conditions=[condition("PodScheduled", "False")])
    seen = view(DEPLOYMENT.counters(web), [new], [pod("old")], (), elapsed=4.2, allowed=60.0)
    assert (seen.wanted, seen.ready, seen.old, seen.old_ready) == (3, 0, 1, 1)
    assert seen.pods == (("new", "Pending"), ("old", "old, Ready"))
    assert seen.cause == ""


def test_of_many_pods_the_first_are_listed_and_the_others_counted() -> None:
    new, old = ([pod(f"{name}-{n}") for n in range(5)] for name in ("new", "old"))
    seen = view(DEPLOYMENT.counters(deployment()), new, old, (), elapsed=0.0, allowed=60.0)

    assert [name for name, _ in seen.pods][4:] == ["new-4", "old-0", "old-1", "old-2"]
    assert seen.more == 2
