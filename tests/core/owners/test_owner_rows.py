"""Every row of the owners' table, with metadata as the owner writes it: id, severity, command."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from backout.core import checks
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.model import Severity
from backout.core.owners import owners
from backout.core.owners.referring import REFERRING, is_served, owners_of
from tests.core.checks.running import found_by
from tests.core.values_made import preflight
from tests.objects.deployments import deployment

ROWS: dict[str, tuple[str, Any, str, str]] = {
    "Argo CD that heals and overlooks the image": (
        "annotations: {argocd.argoproj.io/tracking-id: 'checkout:apps/Deployment:shop/web'}",
        {
            "syncPolicy": {"automated": {"selfHeal": True}},
            "ignoreDifferences": [
                {
                    "group": "apps",
                    "kind": "Deployment",
                    "jsonPointers": ["/spec/template/spec/containers/0/image"],
                }
            ],
        },
        "PF402",
        "argocd app rollback checkout",
    ),
    "Argo CD that heals and overlooks another's": (
        "annotations: {argocd.argoproj.io/tracking-id: 'checkout:apps/Deployment:shop/web'}",
        {
            "syncPolicy": {"automated": {"selfHeal": True}},
            "ignoreDifferences": [
                {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
                {
                    "group": "apps",
                    "kind": "Deployment",
                    "name": "other",
                    "jqPathExpressions": [".spec.template"],
                },
            ],
        },
        "PF401",
        "argocd app rollback checkout",
    ),
    "Keel that polls": (
        "annotations: {keel.sh/policy: minor, keel.sh/trigger: poll}",
        None,
        "PF401",
        "kubectl annotate deploy/web keel.sh/policy=never --overwrite -n shop",
    ),
    "Keel that waits for a push": (
        "labels: {keel.sh/policy: all}",
        None,
        "PF402",
        "kubectl label deploy/web keel.sh/policy=never --overwrite -n shop",
    ),
    "Terraform": (
        """
        managedFields:
        - {manager: Terraform, operation: Update, fieldsV1: {"f:spec": {"f:template": {}}}}
        """,
        None,
        "PF403",
        "terraform apply with the code as it was before",
    ),
    "Pulumi": (
        """
        managedFields:
        - manager: pulumi-kubernetes-a1b2
          operation: Apply
          fieldsV1: {"f:spec": {"f:template": {}}}
        """,
        None,
        "PF403",
        "pulumi up with the code as it was before",
    ),
    "Argo CD that heals": (
        """
        annotations:
          argocd.argoproj.io/tracking-id: checkout:apps/Deployment:shop/web
          kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"apps/v1"}'
        managedFields:
        - {manager: argocd-controller, operation: Apply, fieldsV1: {"f:spec": {"f:template": {}}}}
        """,
        {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}},
        "PF401",
        "argocd app rollback checkout",
    ),
    "Argo CD that does not sync by itself": (
        "annotations: {argocd.argoproj.io/tracking-id: 'checkout:apps/Deployment:shop/web'}",
        {"syncPolicy": {"syncOptions": ["CreateNamespace=true"]}},
        "PF403",
        "argocd app rollback checkout",
    ),
    "Argo CD whose Application may not be read": (
        "annotations: {argocd.argoproj.io/tracking-id: 'teams_checkout:apps/Deployment:shop/web'}",
        None,
        "PF402",
        "argocd app rollback teams/checkout",
    ),
    "Argo CD by label, as of before 3.0": (
        """
        labels: {app.kubernetes.io/instance: checkout}
        managedFields:
        - manager: argocd-controller
          operation: Update
          fieldsV1: {"f:spec": {"f:template": {"f:spec": {}}}}
        """,
        None,
        "PF402",
        "argocd app rollback checkout",
    ),
    "Argo CD by label, with its installation": (
        """
        labels: {app.kubernetes.io/instance: checkout}
        annotations: {argocd.argoproj.io/installation-id: eu-1}
        """,
        {"syncPolicy": {"automated": {"selfHeal": True}}},
        "PF401",
        "argocd app rollback checkout",
    ),
    "Flux Kustomization": (
        """
        labels:
          kustomize.toolkit.fluxcd.io/name: apps
          kustomize.toolkit.fluxcd.io/namespace: flux-system
        managedFields:
        - manager: kustomize-controller
          operation: Apply
          fieldsV1: {"f:spec": {"f:template": {}}}
        """,
        {"interval": "10m0s", "path": "./apps", "prune": True},
        "PF401",
        "flux suspend kustomization apps -n flux-system",
    ),
    "Flux Kustomization that is suspended": (
        """
        labels:
          kustomize.toolkit.fluxcd.io/name: apps
          kustomize.toolkit.fluxcd.io/namespace: flux-system
        """,
        {"suspend": True},
        "PF403",
        "flux suspend kustomization apps -n flux-system",
    ),
    "Flux HelmRelease": (
        """
        labels:
          app.kubernetes.io/managed-by: Helm
          helm.toolkit.fluxcd.io/name: web
          helm.toolkit.fluxcd.io/namespace: shop
        annotations: {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}
        """,
        {"interval": "30m0s"},
        "PF403",
        "flux suspend helmrelease web -n shop",
    ),
    "Flux HelmRelease that corrects drift": (
        """
        labels: {helm.toolkit.fluxcd.io/name: web, helm.toolkit.fluxcd.io/namespace: shop}
        """,
        {"driftDetection": {"mode": "enabled"}},
        "PF401",
        "flux suspend helmrelease web -n shop",
    ),
    "Helm 3": (
        """
        labels:
          app.kubernetes.io/instance: web
          app.kubernetes.io/managed-by: Helm
          helm.sh/chart: web-1.2.3
        annotations: {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}
        managedFields:
        - {manager: helm, operation: Update, fieldsV1: {"f:spec": {"f:template": {}}}}
        """,
        None,
        "PF403",
        "helm rollback web -n shop",
    ),
    "kapp": (
        """
        labels:
          kapp.k14s.io/app: "1580317584170216000"
          kapp.k14s.io/association: v1.9f8d036156bc7b497df91a6a7d2b48cd
        """,
        None,
        "PF403",
        "kapp deploy -a label:kapp.k14s.io/app=1580317584170216000 -f the manifests as they were",
    ),
    "Fleet": (
        """
        labels:
          app.kubernetes.io/managed-by: Helm
          objectset.rio.cattle.io/hash: e852fa897f5eae59a44b4bfe186aad80b10b94b3
        annotations:
          objectset.rio.cattle.io/id: default-shop-apps
          meta.helm.sh/release-name: shop-apps
          meta.helm.sh/release-namespace: shop
        """,
        None,
        "PF402",
        "git revert the change in what bundle default-shop-apps deploys",
    ),
    "k3s addon": (
        """
        labels: {objectset.rio.cattle.io/hash: bce283298811743a0386ab510f2f67ef74240c57}
        annotations:
          objectset.rio.cattle.io/applied: H4sIAAAAAAAA
          objectset.rio.cattle.io/id: ""
          objectset.rio.cattle.io/owner-gvk: k3s.cattle.io/v1, Kind=Addon
          objectset.rio.cattle.io/owner-name: coredns
          objectset.rio.cattle.io/owner-namespace: kube-system
        """,
        None,
        "PF402",
        "kubectl get addons.k3s.cattle.io coredns -n kube-system -o 'jsonpath={.spec.source}'",
    ),
    "another owner of an object set": (
        """
        annotations:
          objectset.rio.cattle.io/id: helm-deploy
          objectset.rio.cattle.io/owner-gvk: helm.cattle.io/v1, Kind=HelmChart
          objectset.rio.cattle.io/owner-name: traefik
          objectset.rio.cattle.io/owner-namespace: kube-system
        """,
        None,
        "PF402",
        "kubectl get helmcharts.helm.cattle.io traefik -n kube-system",
    ),
    "OpenShift image trigger": (
        """
        annotations:
          image.openshift.io/triggers: >-
            [{"from":{"kind":"ImageStreamTag","name":"app:latest","namespace":"shop"},
            "fieldPath":"spec.template.spec.containers[?(@.name==\\"app\\")].image"}]
        """,
        None,
        "PF401",
        "oc set triggers deploy/web --from-image shop/app:latest -c app --manual -n shop",
    ),
    "kubectl apply": (
        """
        annotations:
          kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"apps/v1"}'
        managedFields:
        - manager: kubectl-client-side-apply
          operation: Update
          fieldsV1: {"f:spec": {"f:template": {}}}
        """,
        None,
        "PF403",
        "kubectl apply -f the manifest as it was before",
    ),
    "kubectl apply --server-side": (
        """
        managedFields:
        - {manager: kubectl, operation: Apply, fieldsV1: {"f:spec": {"f:template": {}}}}
        """,
        None,
        "PF403",
        "kubectl apply --server-side --force-conflicts --field-manager kubectl -f the manifest",
    ),
    "operator": (
        """
        ownerReferences:
        - apiVersion: apps.example.com/v1
          blockOwnerDeletion: true
          controller: true
          kind: Shop
          name: main
          uid: 38ffaf3a-8033-4d97-837a-a919e7f9eaec
        """,
        None,
        "PF401",
        "kubectl edit shop.apps.example.com main -n shop",
    ),
}
SEVERITIES = {"PF401": Severity.BLOCK, "PF402": Severity.WARN, "PF403": Severity.WARN}


def read(metadata: str) -> Any:
    return deployment(metadata=yaml.safe_load(metadata))


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_found_with_its_severity_and_the_owners_own_command(name: str) -> None:
    metadata, spec, one, command = ROWS[name]
    workload = read(metadata)
    found = tuple(
        owners.judged(o, {"spec": spec} if spec is not None else None)
        for o in owners.of(workload, DEPLOYMENT)
    )
    said, _ = checks.run_all(preflight(workload=workload, owners=found))
    told = {f.id: f for f in said if f.id in SEVERITIES}

    assert told[one].severity is SEVERITIES[one]
    assert command in told[one].remedy


def test_argo_cd_says_when_its_own_rollback_is_refused() -> None:
    metadata, *_ = ROWS["Argo CD that heals"]
    (owner,) = owners.of(read(metadata), DEPLOYMENT)

    assert "it refuses a rollback while automated sync is on" in owner.detail


@pytest.mark.parametrize(
    "reference",
    [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"},
        None,
    ],
)
def test_a_rollout_that_takes_its_template_from_the_workload_owns_it_and_no_other(
    reference: Any,
) -> None:
    mine = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    rollouts = [
        {"metadata": {"name": name}, "spec": {"workloadRef": of, "replicas": 3}}
        for name, of in (("canary", mine), ("foreign", reference))
    ]
    found = owners_of(REFERRING[0], deployment(), DEPLOYMENT, rollouts)
    (told,) = found_by("PF401", preflight(owners=found))

    assert told.message == (
        "Argo Rollouts (canary) owns deployment/web and starts a rollout of its own, such as a "
        "canary, whenever that template changes"
    )
    assert told.remedy == "roll back with its own tool: kubectl argo rollouts undo canary -n shop"


def test_a_flagger_canary_that_analyses_the_workload_owns_it() -> None:
    flagger = REFERRING[1]
    mine = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    canaries = [
        {"metadata": {"name": name}, "spec": {"targetRef": {**mine, "name": of}}}
        for name, of in (("web", "web"), ("foreign", "other"))
    ]
    (told,) = found_by(
        "PF401", preflight(owners=owners_of(flagger, deployment(), DEPLOYMENT, canaries))
    )

    assert told.message.startswith("Flagger (web) owns deployment/web and starts an analysis")
    assert is_served(flagger, {"resources": [{"name": "canaries"}]})
    assert not is_served(flagger, {"resources": [{"name": "alertproviders"}]})


def test_keel_that_is_told_never_owns_nothing() -> None:
    off = deployment(metadata={"annotations": {"keel.sh/policy": "never"}})
    assert owners.of(off, DEPLOYMENT) == ()
