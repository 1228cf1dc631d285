"""What surrounds the target, on the real cluster: each prediction happens, each remedy cures it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.command import BECAUSE, accepting
from tests.cluster.manifests import SHOP
from tests.cluster.space import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.command import Ran
    from tests.cluster.space import Space

TO_FIRST = ("--to-revision", "1", *BECAUSE)


def config(name: str = "settings", kind: str = "ConfigMap", **data: str) -> dict[str, Any]:
    values = {"stringData": data} if kind == "Secret" else {"data": data}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **values}


def uses(kind: str, key: str) -> dict[str, Any]:
    reference = {f"{kind}KeyRef": {"name": "settings", "key": key}}
    return {"env": [{"name": "VALUE", "valueFrom": reference}]}


def moved_on(space: Space, **first: Any) -> None:
    """The first revision was replaced by a healthy second one: its Pods would have to start."""
    space.deploy(space.version("v1", **first), progressDeadlineSeconds=30)
    space.roll(space.version("v2"), up=True)


def refused(space: Space, one: str) -> Ran:
    ran = space.undo(*TO_FIRST).expect(3)
    assert one in ran.findings(), str(ran)
    assert f"--accept {one}" in ran.line("to roll back anyway: ")
    assert space.wrote() == []
    return ran


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        pytest.param("ConfigMap", "configMap", marks=pytest.mark.every_case),
        ("Secret", "secret"),
    ],
)
def test_a_key_that_the_target_needs_and_that_is_gone_blocks_and_the_failure_happens(
    space: Space, kind: str, field: str
) -> None:
    space.create(config(kind=kind, URL="postgres://x", OTHER="y"))
    moved_on(space, container=uses(field, "URL"))
    space.api.delete(space.name, kind, "settings")
    space.create(config(kind=kind, OTHER="y"))
    ran = refused(space, "PF201")

    assert f"{kind} settings has no key URL; container app needs it" in ran.err
    assert "postgres" not in ran.both
    failed = space.undo(*TO_FIRST, *accepting("PF201")).expect(4)
    assert f"{kind} settings has no key URL, which container app needs" in failed.err


def test_its_remedy_removes_the_finding_and_the_rollback_succeeds(space: Space) -> None:
    space.create(config(URL="x"))
    moved_on(space, container=uses("configMap", "URL"))
    space.api.delete(space.name, "ConfigMap", "settings")
    ran = refused(space, "PF201")
    assert "ConfigMap settings does not exist; container app needs it" in ran.err
    space.create(config(URL="x"))
    ran = space.undo(*TO_FIRST).expect(0)

    assert not {"PF201", "PF202"} & ran.findings()
    assert "PF203" in ran.findings(), "it is younger than the revision's last day"


def test_a_key_that_no_manager_owns_is_not_called_gone_and_the_rollback_succeeds(
    space: Space, tmp_path: Path
) -> None:
    def applied(**fields: Any) -> None:
        made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "settings"}, **fields}
        file = tmp_path / "settings.json"
        file.write_text(json.dumps(made))
        space.kubectl("apply", "--server-side", "-f", str(file)).expect(0)

    applied(stringData={"URL": "postgres://x"})
    moved_on(space, container=uses("secret", "URL"))
    written = space.undo(*TO_FIRST, "--dry-run").expect(0)
    applied(data={"OTHER": "eA=="})
    ran = space.undo(*TO_FIRST).expect(0)

    unsaid = "of Secret settings managed fields do not show every key, and values are not read"
    assert not {"PF201", "PF202"} & written.findings()
    assert unsaid in ran.err
    assert "postgres" not in written.both + ran.both


@pytest.mark.every_case
def test_a_config_map_without_managed_fields_is_read_itself(space: Space) -> None:
    """One that is created empty has none, whoever writes to it later (measured)."""
    space.create({**config(), "data": {}})
    space.merge({"data": {"URL": "x"}}, kind="ConfigMap", name="settings")
    moved_on(space, container=uses("configMap", "URL"))
    there = space.undo(*TO_FIRST, "--dry-run").expect(0)
    space.merge({"data": {"URL": None, "OTHER": "y"}}, kind="ConfigMap", name="settings")
    ran = refused(space, "PF201")

    assert not {"PF201", "PF202"} & there.findings()
    assert "ConfigMap settings has no key URL; container app needs it" in ran.err


@pytest.mark.every_case
def test_a_claim_that_is_being_deleted_blocks_and_the_failure_happens(space: Space) -> None:
    held = {"name": "data", "finalizers": ["backout.dev/held-by-a-test"]}
    access = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    kind = "PersistentVolumeClaim"
    space.create({"apiVersion": "v1", "kind": kind, "metadata": held, "spec": access})
    mounted = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    first = space.version("v1", spec={"volumes": [mounted]})
    space.deploy(first, up=False, progressDeadlineSeconds=30)
    space.roll(space.version("v2", spec={"volumes": None}), up=True)
    space.api.delete(space.name, kind, "data")
    try:
        ran = refused(space, "PF201")
        failed = space.undo(*TO_FIRST, *accepting("PF201")).expect(4)
    finally:
        space.merge({"metadata": {"finalizers": None}}, kind=kind, name="data")

    assert f"{kind} data is being deleted; volume data needs it" in ran.err
    assert 'persistentvolumeclaim "data" is being deleted' in failed.err


def test_while_enough_pods_run_what_is_gone_only_warns(space: Space) -> None:
    space.create(config(URL="x"))
    space.deploy(space.version("v1", container=uses("configMap", "URL")))
    space.roll(space.version("missing", container=uses("configMap", "URL")))
    space.api.delete(space.name, "ConfigMap", "settings")
    ran = space.undo().expect(0)

    assert "PF202" in ran.findings()
    assert "1 Pod still runs revision 1; a rescheduled one could not start" in ran.err


def test_pod_security_that_refuses_every_pod_blocks_and_the_failure_happens(space: Space) -> None:
    moved_on(space)
    space.label_namespace({"pod-security.kubernetes.io/enforce": "restricted"})
    ran = refused(space, "PF504")

    assert 'violates PodSecurity "restricted:latest"' in ran.err
    assert "PF503" in ran.findings(), "the server's own warning is told"
    failed = space.undo(*TO_FIRST, *accepting("PF504")).expect(4)
    assert "the API server refuses its Pods" in failed.err


@pytest.mark.every_case
def test_without_pod_security_the_twin_succeeds(space: Space) -> None:
    moved_on(space)
    ran = space.undo(*TO_FIRST).expect(0)

    assert not {"PF503", "PF504", "PF505", "PF506"} & ran.findings()


@pytest.mark.every_case
def test_a_full_quota_warns_because_a_controller_makes_the_real_pods(space: Space) -> None:
    moved_on(space)
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}}
    space.create({**body, "spec": {"hard": {"pods": "1"}}})
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF506" in ran.findings()
    assert "exceeded quota: q" in ran.err


def test_a_policy_that_refuses_the_patch_blocks_before_anything_is_written(space: Space) -> None:
    moved_on(space)
    space.deny_image(space.image("v1"))
    ran = refused(space, "PF501")

    assert "not this image" in ran.err
    failed = space.undo(*TO_FIRST, *accepting("PF501")).expect(1)
    assert "not this image" in failed.err
    assert space.image_now() == space.image("v2")


@pytest.mark.every_case
def test_where_the_policy_lets_the_image_pass_the_twin_succeeds(space: Space) -> None:
    moved_on(space)
    space.deny_image(space.image("missing"))
    ran = space.undo(*TO_FIRST).expect(0)

    assert "PF501" not in ran.findings()


def test_a_paused_deployment_takes_the_patch_and_nothing_rolls_out(space: Space) -> None:
    moved_on(space)
    space.merge({"spec": {"paused": True}})
    space.observed()
    ran = space.undo(*TO_FIRST, *accepting("PF105")).expect(5)

    assert "the Deployment is paused: nothing rolls out until it is resumed" in ran.err
    assert space.image_now() == space.image("v1")
    assert [p["spec"]["containers"][0]["image"] for p in space.pods()] == [space.image("v2")]


def test_an_operator_blocks_and_helm_warns_each_with_its_own_way_back(space: Space) -> None:
    moved_on(space)
    owner = space.create(config("main"))
    helm = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": space.name}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    space.merge({"metadata": {"annotations": helm, "labels": labels}})
    warned = space.undo(*TO_FIRST, "--dry-run").expect(0)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "main", "controller": True}
    owned = {"ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}]}
    space.merge({"metadata": owned})
    ran = refused(space, "PF401")

    assert "PF403" in warned.findings()
    assert f"with its own tool: helm rollback web -n {space.name}" in warned.err
    assert f"roll back with its own tool: kubectl edit configmap main -n {space.name}" in ran.err


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("tool", "metadata"),
    [
        (
            "Argo CD",
            {"annotations": {"argocd.argoproj.io/tracking-id": "a:apps/Deployment:NS/shop"}},
        ),
        (
            "Flux Kustomization",
            {
                "labels": {
                    "kustomize.toolkit.fluxcd.io/name": "a",
                    "kustomize.toolkit.fluxcd.io/namespace": "NS",
                }
            },
        ),
    ],
)
def test_on_a_cluster_without_its_resources_an_owners_policy_is_not_known(
    space: Space, tool: str, metadata: dict[str, Any]
) -> None:
    moved_on(space)
    filled = {
        key: {k: v.replace("NS", space.name) for k, v in of.items()} for key, of in metadata.items()
    }
    space.merge({"metadata": filled})
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF402" in ran.findings()
    assert f"{tool} (a) owns deployment/{SHOP}" in ran.err


@pytest.mark.every_case
def test_services_and_probes_that_do_not_fit_the_target_are_told(space: Space) -> None:
    space.deploy(space.version("v1", probe="/healthz"))
    space.roll(space.version("v2"), up=True)
    space.merge({"spec": {"ports": [{"port": 80, "targetPort": "grpc"}]}}, kind="Service")
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert {"PF701", "PF702"} <= ran.findings()
    assert "asks /healthz on 8080, revision 2's asks /ready on 8080" in ran.err
    assert "Service shop sends to port grpc" in ran.err


def test_configuration_that_was_changed_after_the_rollout_is_told_with_the_time(
    space: Space,
) -> None:
    space.create(config(URL="x"))
    space.deploy(space.version("v1"))
    space.roll(space.version("v2", container=uses("configMap", "URL")), up=True)
    before = space.undo(*TO_FIRST, "--dry-run").expect(0)
    space.later_than(space.revisions()[2]["metadata"]["creationTimestamp"])
    space.merge({"data": {"URL": "y"}}, kind="ConfigMap", name="settings")
    ran = space.undo(*TO_FIRST, "--dry-run").expect(0)

    assert "PF902" not in before.findings()
    assert "PF902" in ran.findings()
    assert "by backout-cluster-tests, after revision 2 was rolled out" in ran.err


def test_an_operator_that_reverts_is_named_and_nobody_fights_it(space: Space) -> None:
    moved_on(space)
    own = space.create(config("main"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "main", "controller": True}
    owned = {"ownerReferences": [{**reference, "uid": own["metadata"]["uid"]}]}
    space.merge({"metadata": owned})
    refused(space, "PF401")
    words = accepting("PF401")
    running = space.start_undo(*TO_FIRST, *words)
    until("the rollback's patch", lambda: space.image_now() == space.image("v1"))
    space.later_than(space.api.now())
    containers = [{"name": "app", "image": space.image("v2")}]
    back = {"spec": {"template": {"spec": {"containers": containers}}}}
    path = f"/apis/apps/v1/namespaces/{space.name}/deployments/{SHOP}"
    space.api.call("PATCH", path, back, "strategic-merge-patch+json")
    ran = running.ended().expect(5)

    _, _, end = ran.err.partition("superseded: backout-cluster-tests changed the Pod template at ")
    way = f"roll back with its own tool: kubectl edit configmap main -n {space.name}"
    assert f"  next: {way}\n" in end
    assert len(space.audited("patch", "deployments")) == 1
    assert space.image_now() == space.image("v2")
    assert "PF401" in str(space.records()[-1])
