"""PF6xx: room by quota and nodes, autoscalers and budgets; one case that triggers, one clean."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core import checks
from backout.core.checks import disruption
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need
from backout.core.references.references import Named, Reference, Referent
from tests.core.checks.running import found_by
from tests.core.values_made import preflight
from tests.objects.autoscalers import autoscaler, budget
from tests.objects.deployments import deployment
from tests.objects.nodes import node
from tests.objects.pods import pod
from tests.objects.quotas import limit_range, quota
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template

FRUGAL = {"maxUnavailable": 0, "maxSurge": 1}
EASY = {"maxUnavailable": 1, "maxSurge": 1}
LARGE = {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}
ASKS = {"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


def seen(*, asks: Any = ASKS, rolling: Any = EASY, running: int = 0, **changes: Any) -> Any:
    """Revision 2 is the target and asks for `asks`; `running` Pods of it and 3 of 3 run."""
    second = replica_set(2)
    second["spec"]["template"]["spec"]["containers"][0]["resources"] = asks
    second["spec"]["template"]["spec"].update(changes.pop("spec", {}))
    pods = [pod(f"web-3-{n}", of="web-3") for n in "abc"]
    pods += [pod(f"web-2-{n}", of="web-2") for n in range(running)]
    strategy = changes.pop("strategy", {"type": "RollingUpdate", "rollingUpdate": rolling})
    values = {
        "workload": deployment(
            template("reg.example/app:v3"), strategy=strategy, replicas=changes.pop("replicas", 3)
        ),
        "stored": (replica_set(1), second, replica_set(3)),
        "pods": tuple(pods),
        **changes,
    }
    return preflight(to=2, **values)


def quotas(*many: Any) -> tuple[Any, ...]:
    return many


def by_keda(one: dict[str, Any]) -> dict[str, Any]:
    """Return an autoscaler with what KEDA 2.17 writes on it."""
    name = "orders"
    one["metadata"] = {
        "name": f"keda-hpa-{name}",
        "labels": {
            "app.kubernetes.io/managed-by": "keda-operator",
            "app.kubernetes.io/name": f"keda-hpa-{name}",
            "app.kubernetes.io/part-of": name,
            "app.kubernetes.io/version": "2.17.2",
            "scaledobject.keda.sh/name": name,
        },
        "ownerReferences": [
            {
                "apiVersion": "keda.sh/v1alpha1",
                "blockOwnerDeletion": True,
                "controller": True,
                "kind": "ScaledObject",
                "name": name,
                "uid": "a24813ff-033b-4d15-bcca-a9e3403064bd",
            }
        ],
    }
    return one


def by_vpa(one: dict[str, Any], changes: str = "cpu request, memory request") -> dict[str, Any]:
    """Return a Pod with what the VerticalPodAutoscaler's admission controller notes on it."""
    one["metadata"]["annotations"] = {
        "vpaObservedContainers": "app",
        "vpaUpdates": f"Pod resources updated by web-vpa: container 0: {changes}",
    }
    return one


FULL = quotas(quota("700m", "600m"))
CASES: dict[str, tuple[Any, Any]] = {
    "PF601": (seen(quotas=FULL), seen(quotas=quotas(quota("800m", "600m")))),
    "PF602": (seen(nodes=(node(cpu="100m"),)), seen(nodes=(node(cpu="100m"), node("n2")))),
    "PF603": (
        seen(autoscalers=(autoscaler("TooManyReplicas"),)),
        seen(autoscalers=(autoscaler(),)),
    ),
    "PF604": (seen(budgets=(budget(0),)), seen(budgets=(budget(1),))),
    "PF605": (seen(quotas=FULL, rolling=FRUGAL), seen(quotas=FULL)),
    "PF606": (
        seen(replicas=0, autoscalers=(by_keda(autoscaler()),)),
        seen(replicas=0, autoscalers=(autoscaler(),)),
    ),
    "PF607": (seen(pods=(by_vpa(pod()),)), seen(pods=(pod(),))),
}


@pytest.mark.parametrize("one", CASES)
def test_a_check_finds_its_bad_fact_and_nothing_where_all_is_well(one: str) -> None:
    bad, clean = CASES[one]

    (found,) = found_by(one, bad)
    assert found.message
    assert found.remedy
    assert found.severity in {Severity.WARN, Severity.INFO}
    assert found_by(one, clean) == ()


def test_the_family_is_covered() -> None:
    assert set(CASES) == {c.id for c in disruption.CHECKS}


def test_a_quota_says_what_the_surge_needs_and_what_is_left() -> None:
    (found,) = found_by("PF601", seen(quotas=FULL))

    assert found.message == (
        "ResourceQuota q has 100m of requests.cpu left, and the rollout first needs 200m for "
        "1 more Pod: it waits until old Pods are gone"
    )


def test_room_for_some_of_the_surge_moves_whatever_max_unavailable_is() -> None:
    wide = {"maxUnavailable": 0, "maxSurge": 2}
    some = seen(quotas=quotas(quota("900m", "600m")), rolling=wide)

    assert found_by("PF605", some) == ()
    (found,) = found_by("PF601", some)
    assert "has 300m of requests.cpu left" in found.message
    assert "the rollout first needs 400m for 2 more Pods" in found.message


@pytest.mark.parametrize(
    ("hard", "replicas", "words"),
    [
        ("3", 3, "has room for no more Pods, and the rollout first needs 2"),
        ("4", 3, "has room for 1 more Pod, and the rollout first needs 2"),
        ("1027", 2000, "has room for 1024 more Pods, and the rollout first needs 1999"),
    ],
)
def test_a_quota_that_counts_pods_speaks_of_pods(hard: str, replicas: int, words: str) -> None:
    rolling = {"maxUnavailable": 1, "maxSurge": 2}
    many = seen(quotas=quotas(quota(hard, "3", key="pods")), rolling=rolling, replicas=replicas)

    assert f"ResourceQuota q (pods) {words}" in found_by("PF601", many)[0].message


@pytest.mark.parametrize("key", ["requests.memory", "limits.memory"])
def test_bytes_are_written_as_kubernetes_writes_them(key: str) -> None:
    (found,) = found_by("PF601", seen(quotas=quotas(quota("200M", "100M", key=key)), asks=LARGE))

    assert f"has 100M of {key} left, and the rollout first needs 2Gi for 1" in found.message


DEFAULT = limit_range(default={"cpu": "1"}, defaultRequest={"cpu": "200m"})


def test_what_a_limit_range_adds_counts_and_what_the_template_says_outranks_it() -> None:
    assert found_by("PF601", seen(quotas=FULL, asks={})) == ()
    (found,) = found_by("PF601", seen(quotas=FULL, asks={}, limit_ranges=(DEFAULT,)))
    own = {"requests": {"cpu": "50m"}}

    assert "needs 200m for 1 more Pod" in found.message
    assert found_by("PF601", seen(quotas=FULL, asks=own, limit_ranges=(DEFAULT,))) == ()
    pods_only = limit_range("Pod", default={"cpu": "1"}, defaultRequest={"cpu": "1"})
    assert found_by("PF601", seen(quotas=FULL, asks={}, limit_ranges=(pods_only,))) == ()


def test_a_limit_ranges_default_is_what_an_autoscaler_measures() -> None:
    measured = seen(asks={}, autoscalers=(autoscaler(),), limit_ranges=(DEFAULT,))

    assert found_by("PF603", measured) == ()


def test_what_a_runtime_class_adds_counts_for_quotas_and_nodes() -> None:
    sandboxed: dict[str, Any] = {"runtimeClassName": "gvisor"}
    overhead = Named(exists=True, overhead={"cpu": "2"})
    named = {Reference(kind=Referent.RUNTIME_CLASS, name="gvisor"): overhead}
    whole: dict[str, Any] = {"spec": sandboxed, "named": named, "nodes": (node(cpu="2"),)}
    (short,) = found_by("PF601", seen(quotas=FULL, **whole))
    (small,) = found_by("PF602", seen(**whole))

    assert "needs 2200m for 1 more Pod" in short.message
    assert "it asks for 2200m cpu, the whole node has 2" in small.message


def test_keda_at_0_replicas_is_named_with_its_object_and_how_to_look_again() -> None:
    keda = by_keda(autoscaler())
    (found,) = found_by("PF606", seen(replicas=0, autoscalers=(keda,)))

    assert found.severity is Severity.INFO
    assert "KEDA (ScaledObject orders) scales deployment/web, which is at 0" in found.message
    assert found.remedy == (
        "see why it does not scale up, and verify afterwards: "
        "kubectl describe scaledobjects.keda.sh orders -n shop"
    )
    assert found_by("PF606", seen(autoscalers=(keda,))) == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ("cpu request, memory request", "requests"),
        ("cpu request, memory request, cpu limit, memory limit", "limits and requests"),
    ],
)
def test_a_vertical_autoscaler_is_named_with_what_it_sets(changes: str, what: str) -> None:
    (found,) = found_by("PF607", seen(pods=(by_vpa(pod("a"), changes), by_vpa(pod("b"), changes))))

    assert found.severity is Severity.INFO
    assert f"VerticalPodAutoscaler web-vpa sets the {what} of Pods" in found.message
    assert found.remedy.endswith(": kubectl describe vpa web-vpa -n shop")


def test_an_annotation_that_no_vertical_autoscaler_wrote_names_none() -> None:
    hostile = pod()
    hostile["metadata"]["annotations"] = {"vpaUpdates": "Pod resources updated by $(x): request"}

    assert found_by("PF607", seen(pods=(hostile,))) == ()


@pytest.mark.parametrize(
    "clean",
    [
        seen(quotas=FULL, running=3),
        seen(quotas=FULL, strategy={"type": "Recreate"}),
        seen(quotas=FULL, asks={}),
        seen(quotas=quotas(quota("3", "3", key="services"))),
        seen(quotas=quotas({"metadata": {"name": "new"}, "spec": {"hard": {"pods": "1"}}})),
        seen(quotas=quotas(quota("1", "1", key="pods", scopes=["BestEffort"]))),
    ],
    ids=["it runs", "Recreate", "asks nothing", "not of Pods", "not counted yet", "other scope"],
)
def test_where_no_pod_is_charged_a_quota_says_nothing(clean: Any) -> None:
    assert found_by("PF601", clean) == found_by("PF605", clean) == ()


@pytest.mark.parametrize("key", ["pods", "count/pods", "cpu", "requests.memory", "limits.memory"])
def test_each_key_of_a_quota_that_counts_pods_is_looked_at(key: str) -> None:
    (found,) = found_by("PF601", seen(quotas=quotas(quota("1", "1", key=key))))

    assert key in found.message


def test_pods_that_run_are_told_where_only_a_rescheduled_one_finds_no_node() -> None:
    runs = seen(nodes=(node(cpu="100m"),), running=3, rolling=FRUGAL)
    (found,) = found_by("PF602", runs)

    assert "it asks for 200m cpu, the whole node has 100m" in found.message
    assert "3 Pods still run it; a rescheduled one could not start" in found.message
    assert found_by("PF605", runs) == ()


def test_no_node_and_no_pod_that_may_go_is_one_finding() -> None:
    stuck = seen(nodes=(node(unschedulable=True),), rolling=FRUGAL)

    assert found_by("PF602", stuck) == ()
    (found,) = found_by("PF605", stuck)
    assert "no node takes a Pod of revision 2 now (1 of 1: cordoned)" in found.message


def test_a_target_that_requests_nothing_cannot_be_scaled_by_a_share_of_it() -> None:
    (found,) = found_by("PF603", seen(asks={}, autoscalers=(autoscaler(),)))
    absolute = autoscaler(target={"type": "AverageValue"})

    assert "container app requests no cpu; it stops scaling" in found.message
    assert found_by("PF603", seen(asks={}, autoscalers=(absolute,))) == ()


def test_a_share_is_measured_of_sidecars_too_and_of_the_pods_own_requests_where_it_has_any() -> (
    None
):
    sidecar = {"name": "proxy", "restartPolicy": "Always"}
    whole: dict[str, Any] = {"autoscalers": (autoscaler(),)}
    (found,) = found_by("PF603", seen(spec={"initContainers": [sidecar]}, **whole))
    of_pod = {"resources": {"requests": {"memory": "1Gi"}}}
    (lacks,) = found_by("PF603", seen(asks={}, spec=of_pod, **whole))
    asked = {"initContainers": [sidecar], "resources": {"requests": {"cpu": "1"}}}

    assert "container proxy requests no cpu" in found.message
    assert "the Pod requests no cpu" in lacks.message
    assert found_by("PF603", seen(asks={}, spec=asked, **whole)) == ()
    assert found_by("PF603", seen(spec={"initContainers": [{"name": "init"}]}, **whole)) == ()


def test_another_workloads_autoscaler_and_budget_say_nothing() -> None:
    foreign = autoscaler("TooManyReplicas")
    foreign["spec"]["scaleTargetRef"]["name"] = "api"

    assert found_by("PF603", seen(autoscalers=(foreign,))) == ()
    assert found_by("PF604", seen(budgets=(budget(0, app="api"),))) == ()


@pytest.mark.parametrize(
    ("need", "ids"),
    [
        (Need.QUOTAS, {"PF601", "PF605"}),
        (Need.AUTOSCALERS, {"PF603", "PF606"}),
        (Need.LIMIT_RANGES, {"PF601", "PF602", "PF603", "PF605"}),
        (Need.BUDGETS, {"PF604"}),
        (Need.STORAGE_CLASSES, {"PF204"}),
    ],
)
def test_what_could_not_be_read_is_skipped_and_said(need: Need, ids: set[str]) -> None:
    _, skipped = checks.run_all(preflight(unreadable={need: "forbidden"}))

    assert {s.id for s in skipped} == ids
    assert {s.reason for s in skipped} == {f"{need}: forbidden"}


def holding(*, rolling: Any = FRUGAL, cpu: str = "600m", of: str = "web-3", **changes: Any) -> Any:
    """One replica runs on the only node and takes 600m of its CPU; so would one of revision 2."""
    asks = {"requests": {"cpu": cpu}}
    runs = pod("web-3-a", of=of, spec={**template(resources=asks)["spec"], "nodeName": "n1"})
    values = {"nodes": (node(cpu="1"),), "pods": (runs,), "replicas": 1, **changes}
    return seen(asks=asks, rolling=rolling, **values)


def test_a_pod_that_runs_and_stays_holds_the_room_of_the_next() -> None:
    (found,) = found_by("PF605", holding())

    assert found.severity is Severity.WARN
    assert found.message == (
        "a Pod of revision 2 finds no room beside those that run: on node n1 the Pods that run "
        "leave 400m cpu, and a new one asks for 600m; maxUnavailable is 0, so none of them goes "
        "first, and the rollout cannot move"
    )
    assert "nothing serves while one goes first" in found.detail
    assert found.remedy.startswith("let one Pod go first (maxSurge 0, maxUnavailable 1): kubectl")
    assert '"maxSurge":0,"maxUnavailable":1' in found.remedy


def test_where_a_pod_may_go_first_or_there_is_room_the_rollout_moves() -> None:
    clean: tuple[dict[str, Any], ...] = (
        {"rolling": {"maxUnavailable": 1, "maxSurge": 0}},
        {"nodes": (node(cpu="2"),)},
        {"nodes": (node(cpu="1"), node("n2", cpu="1"))},
        {"strategy": {"type": "Recreate"}},
        # The Pod that runs is of the target already.
        {"of": "web-2"},
    )
    for one in clean:
        assert found_by("PF605", holding(**one)) == (), one


def test_a_claim_that_one_pod_has_is_room_too() -> None:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {**template()["spec"], "volumes": volumes, "nodeName": "n1"}
    runs = pod("web-3-a", of="web-3", spec=spec)
    claim = Reference(kind=Referent.CLAIM, name="data")
    known = Named(exists=True, modes=frozenset({"ReadWriteOncePod"}))
    (found,) = found_by(
        "PF605", holding(cpu="1m", pods=(runs,), spec={"volumes": volumes}, named={claim: known})
    )

    assert "claim data is ReadWriteOncePod, and Pod web-3-a has it" in found.message
    assert "the rollout may not move" in found.message
