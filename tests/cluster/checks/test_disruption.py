"""Room for the target's Pods, on the real cluster: what is predicted happens, its twin succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.api import Refused
from tests.cluster.command import BECAUSE, accepting
from tests.cluster.manifests import SHOP
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.space import Space

TO_FIRST = ("--to-revision", "1", *BECAUSE)
ACCEPTED = accepting("PF110", "PF905")
SLOW = {"maxSurge": 1, "maxUnavailable": 1}
NOWHERE = {"nodeSelector": {"backout.dev/no-such": "node"}}


def moved_on(
    space: Space,
    *,
    replicas: int = 1,
    rolling: Any = None,
    spec: Any = None,
    container: Any = None,
    deadline: int = 15,
) -> None:
    """A first revision with this spec was replaced by a healthy second one without it."""
    strategy = {"strategy": {"rollingUpdate": rolling}} if rolling else {}
    how: Any = {"progressDeadlineSeconds": deadline, "replicas": replicas, **strategy}
    first = space.version("v1", spec=spec or {}, container=container or {})
    space.deploy(first, up=spec is None, **how)
    space.roll(space.version("v2", spec=dict.fromkeys(spec or {})), up=True)


def quota(space: Space, **hard: str) -> None:
    """Give the namespace a quota and wait until it is counted."""
    space.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "team"},
            "spec": {"hard": hard},
        }
    )

    def used() -> Any:
        return space.get("ResourceQuota", "team").get("status", {}).get("used")

    until("the quota is counted", used)


def settled(space: Space, replicas: int) -> None:
    """Wait until no Pod of before is left over."""
    until("only the newest Pods", lambda: len(space.every("Pod", f"app={SHOP}")) == replicas)


@pytest.mark.every_case
def test_a_quota_without_room_for_the_surge_is_told_and_the_rollback_goes_on_slower(
    space: Space,
) -> None:
    moved_on(space, replicas=2, rolling=SLOW, deadline=110)
    settled(space, 2)
    quota(space, pods="2")
    ran = space.undo(*TO_FIRST).expect(0)

    assert "PF601" in ran.findings()
    assert (
        "ResourceQuota team (pods) has room for no more Pods, and the rollout first needs 1"
        in ran.err
    )
    assert "it waits until old Pods are gone" in ran.err


@pytest.mark.every_case
def test_with_room_for_the_surge_nothing_is_told(space: Space) -> None:
    moved_on(space, replicas=2, rolling=SLOW)
    settled(space, 2)
    quota(space, pods="3")
    ran = space.undo(*TO_FIRST).expect(0)

    assert not {"PF601", "PF605"} & ran.findings()


@pytest.mark.every_case
def test_a_full_quota_where_no_old_pod_may_go_does_not_move_and_raising_it_helps(
    space: Space,
) -> None:
    asks = {"resources": {"requests": {"cpu": "20m"}}}
    moved_on(space, container=asks)
    settled(space, 1)
    quota(space, pods="1")
    ran = space.undo(*TO_FIRST, "--timeout", "40s").expect(4)

    assert "PF605" in ran.findings()
    assert "not one Pod of revision 1 can be made, so the rollout does not move at all" in ran.err
    assert "exceeded quota: team" in ran.err
    space.merge({"spec": {"hard": {"pods": "2"}}}, kind="ResourceQuota", name="team")
    space.rolled_out()
    assert space.image_now() == space.image("v1")


def test_what_admission_adds_is_what_the_quota_charges_and_what_is_told(space: Space) -> None:
    default = {"type": "Container", "defaultRequest": {"cpu": "50m"}}
    space.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults"},
            "spec": {"limits": [default]},
        }
    )
    space.runtime_class("runc", overhead={"podFixed": {"cpu": "100m"}})
    quota(space, **{"requests.cpu": "1"})

    def charged() -> Any:
        return space.get("ResourceQuota", "team")["status"]["used"]["requests.cpu"]

    space.deploy(space.version("v1", spec={"runtimeClassName": space.name}), up=False)
    until("the first Pod is charged", lambda: charged() == "150m")
    space.roll(space.version("v2", spec={"runtimeClassName": None}), up=True)
    until("only the second is left", lambda: charged() == "50m")
    space.merge({"spec": {"hard": {"requests.cpu": "100m"}}}, kind="ResourceQuota", name="team")
    until(
        "the quota is counted again",
        lambda: space.get("ResourceQuota", "team")["status"]["hard"]["requests.cpu"] == "100m",
    )
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF605" in ran.findings()
    assert (
        "ResourceQuota team has 50m of requests.cpu left, and the rollout first needs 150m for "
        "1 more Pod"
    ) in ran.err


@pytest.mark.every_case
def test_where_no_node_fits_it_is_told_and_the_failure_happens(space: Space) -> None:
    moved_on(space, replicas=2, rolling=SLOW, spec=NOWHERE)
    ran = space.undo(*TO_FIRST).expect(4)

    assert "PF602" in ran.findings()
    assert "1 of 1: no label backout.dev/no-such=node (nodeSelector)" in ran.err
    assert "no node takes it" in ran.err


@pytest.mark.every_case
def test_where_no_node_fits_and_no_old_pod_may_go_it_is_told_that_nothing_moves(
    space: Space,
) -> None:
    moved_on(space, spec=NOWHERE)
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF605" in ran.findings()
    assert "PF602" not in ran.findings()


@pytest.mark.every_case
def test_a_pod_that_is_larger_than_the_node_is_told_with_both_sizes(space: Space) -> None:
    large = {"resources": {"requests": {"memory": "9000Gi"}}}
    space.deploy(space.version("v1", container=large), up=False)
    space.roll(space.version("v2"), up=True)
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "it asks for 9000Gi memory, the whole node has " in ran.err


def autoscaler() -> Object:
    utilization = {"type": "Utilization", "averageUtilization": 80}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": SHOP},
            "maxReplicas": 2,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
        },
    }


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"cpu": "10m"}, id="cpu", marks=pytest.mark.every_case),
    ],
)
def test_an_autoscaler_that_cannot_measure_the_target_is_told(
    space: Space, requests: dict[str, str]
) -> None:
    moved_on(space, container={"resources": {"requests": requests}})
    space.create(autoscaler())
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert ("PF603" in ran.findings()) is (not requests)


def test_vertical_autoscaling_and_keda_at_0_replicas_are_told(space: Space) -> None:
    moved_on(space)
    by_keda = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "orders"}
    reference = {**by_keda, "controller": True, "uid": "a24813ff-033b-4d15-bcca-a9e3403064bd"}
    made = autoscaler()
    made["metadata"] = {"name": "keda-hpa-orders", "ownerReferences": [reference]}
    space.create(made)
    pod = space.pods()[0]["metadata"]["name"]
    updates = "vpaUpdates=Pod resources updated by shop-vpa: container 0: cpu request"
    space.kubectl("annotate", "pod", pod, updates).expect(0)
    runs = space.undo(*TO_FIRST, "--dry-run").expect(0)
    space.merge({"spec": {"replicas": 0}})
    settled(space, 0)
    idle = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF606" not in runs.findings()
    assert "INFO PF607: VerticalPodAutoscaler shop-vpa sets the requests of Pods" in runs.err
    assert f"kubectl describe vpa shop-vpa -n {space.name}" in runs.err
    assert "PF607" not in idle.findings()
    assert "INFO PF606: KEDA (ScaledObject orders) scales deployment/shop" in idle.err
    assert "Argo Rollouts" not in idle.err, "without its CRD there is none"


def test_a_budget_that_allows_no_eviction_holds_no_rollback_up(space: Space) -> None:
    moved_on(space)
    space.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "shop"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": SHOP}}},
        }
    )
    until("the budget is counted", lambda: _allowed(space) == 0)
    pod = space.pods()[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{space.name}/pods/{pod}/eviction"
    with pytest.raises(Refused, match="disruption budget"):
        space.api.call("POST", path, eviction)
    ran = space.undo(*TO_FIRST, "--strict", *ACCEPTED).expect(0)

    assert "INFO PF604: PodDisruptionBudget shop allows no eviction now" in ran.err


def _allowed(space: Space) -> int | None:
    status = space.get("PodDisruptionBudget", SHOP).get("status", {})
    is_counted = status.get("expectedPods") == 1 and status.get("currentHealthy") == 1
    allowed: int | None = status.get("disruptionsAllowed") if is_counted else None
    return allowed


@pytest.mark.every_case
def test_a_claim_whose_class_is_gone_is_told_and_the_failure_happens(space: Space) -> None:
    access = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    space.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"storageClassName": f"gone-{space.name}", **access},
        }
    )
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    moved_on(space, spec={"volumes": [claim]})
    ran = space.undo(*TO_FIRST).expect(4)

    assert "PF204" in ran.findings()
    assert f"is not bound and its StorageClass gone-{space.name} does not exist" in ran.err
    assert "no node takes it" in ran.err
