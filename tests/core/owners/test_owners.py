"""Every row of the owners' table, its twin that is no sign, and hostile metadata."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.owners import owners
from backout.core.owners.owners import Owner, Policy
from tests.objects.deployments import deployment

ARGO = "argocd.argoproj.io/tracking-id"
FLUX = "kustomize.toolkit.fluxcd.io"
RELEASE = "helm.toolkit.fluxcd.io"
HELM_LABEL = {"app.kubernetes.io/managed-by": "Helm"}
HELM = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}
TRIGGERS = "image.openshift.io/triggers"


def owned(
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **metadata: Any,
) -> Any:
    return deployment(
        metadata={"labels": labels or {}, "annotations": annotations or {}, **metadata}
    )


def flux(prefix: str) -> dict[str, str]:
    return {f"{prefix}/name": "apps", f"{prefix}/namespace": "flux-system"}


def applied(manager: str, operation: str = "Apply", part: str = "f:template") -> dict[str, Any]:
    """Return an entry of managedFields that holds a part of the spec."""
    fields: Any = {"f:spec": {part: {"f:spec": {}}}}
    return {"manager": manager, "operation": operation, "fieldsV1": fields}


BY_FORCE = "kubectl apply --server-side --force-conflicts"
OPERATOR = [{"kind": "Shop", "name": "main", "uid": "x", "controller": True}]
ROWS: dict[str, tuple[Any, str, Policy, str]] = {
    "Argo CD": (
        owned(annotations={ARGO: "web-app:apps/Deployment:shop/web"}),
        "Argo CD",
        Policy.UNKNOWN,
        "argocd app rollback web-app",
    ),
    "Argo CD in another namespace": (
        owned(annotations={ARGO: "teams_web:apps/Deployment:shop/web"}),
        "Argo CD",
        Policy.UNKNOWN,
        "argocd app rollback teams/web",
    ),
    "Kustomization": (
        owned(flux(FLUX)),
        "Flux Kustomization",
        Policy.UNKNOWN,
        "flux suspend kustomization apps -n flux-system",
    ),
    "HelmRelease": (
        owned({**flux(RELEASE), **HELM_LABEL}, HELM),
        "Flux HelmRelease",
        Policy.UNKNOWN,
        "flux suspend helmrelease apps -n flux-system",
    ),
    "Helm": (owned(HELM_LABEL, HELM), "Helm", Policy.NEXT_DEPLOY, "helm rollback web -n shop"),
    "kapp": (
        owned({"kapp.k14s.io/app": "17"}),
        "kapp",
        Policy.NEXT_DEPLOY,
        "kapp deploy -a label:kapp.k14s.io/app=17 -f the manifests as they were before",
    ),
    "Fleet": (
        owned(annotations={"objectset.rio.cattle.io/id": "default-web"}),
        "Fleet",
        Policy.UNKNOWN,
        "git revert the change in what bundle default-web deploys",
    ),
    "image trigger": (
        owned(annotations={TRIGGERS: '[{"from": {"name": "app:latest"}}]'}),
        "OpenShift image trigger",
        Policy.REVERTS,
        "oc set triggers deploy/web -n shop",
    ),
    "operator": (
        owned(ownerReferences=OPERATOR),
        "the controller of Shop",
        Policy.REVERTS,
        "kubectl edit shop main -n shop",
    ),
    "kubectl apply": (
        owned(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        "kubectl apply",
        Policy.NEXT_DEPLOY,
        "kubectl apply -f the manifest as it was before",
    ),
    "server-side apply": (
        owned(managedFields=[applied("ci")]),
        "server-side apply",
        Policy.NEXT_DEPLOY,
        f"{BY_FORCE} --field-manager ci -f the manifest as it was before",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_owner_is_known_by_its_sign_with_its_own_command(name: str) -> None:
    workload, tool, policy, command = ROWS[name]
    (found,) = owners.of(workload, DEPLOYMENT)

    assert (found.tool, found.policy, found.command) == (tool, policy, command)


NO_SIGNS: dict[str, Any] = {
    "nothing": owned(),
    "a copy of another object": owned(annotations={ARGO: "app:apps/Deployment:shop/other"}),
    "a label that Helm charts set, too": owned({"app.kubernetes.io/instance": "web"}),
    "Flux was told to keep off": owned(flux(FLUX), {f"{FLUX}/reconcile": "disabled"}),
    "told so by a label, in capitals": owned({**flux(FLUX), f"{FLUX}/reconcile": "Disabled"}),
    "Flux does not apply it": owned(flux(FLUX), {f"{FLUX}/ssa": "Ignore"}),
    "Helm's label alone": owned(HELM_LABEL),
    "a trigger that is paused": owned(annotations={TRIGGERS: '[{"paused": "true"}]'}),
    "who applies replicas": owned(managedFields=[applied("keda", part="f:replicas")]),
    "an edit": owned(managedFields=[applied("kubectl-edit", "Update")]),
    "a generation that Argo Rollouts notes on itself": owned(
        annotations={"rollout.argoproj.io/workload-generation": "3"}
    ),
    "an addon's label of k3s alone": owned({"objectset.rio.cattle.io/hash": "x"}),
    "an owner that is no controller": owned(ownerReferences=[{**OPERATOR[0], "controller": False}]),
}


@pytest.mark.parametrize("name", NO_SIGNS)
def test_what_is_no_sign_names_nobody(name: str) -> None:
    assert owners.of(NO_SIGNS[name], DEPLOYMENT) == ()


@pytest.mark.parametrize(
    ("row", "spec", "policy"),
    [
        ("Argo CD", {"syncPolicy": {"automated": {"selfHeal": True}}}, Policy.REVERTS),
        ("Argo CD", {"syncPolicy": {"automated": {}}}, Policy.NEXT_DEPLOY),
        (
            "Argo CD",
            {"syncPolicy": {"automated": {"selfHeal": True, "enabled": False}}},
            Policy.NEXT_DEPLOY,
        ),
        ("Argo CD", {}, Policy.NEXT_DEPLOY),
        ("Kustomization", {}, Policy.REVERTS),
        ("Kustomization", {"suspend": True}, Policy.NEXT_DEPLOY),
        ("HelmRelease", {"driftDetection": {"mode": "enabled"}}, Policy.REVERTS),
        ("HelmRelease", {"driftDetection": {"mode": "warn"}}, Policy.NEXT_DEPLOY),
        (
            "HelmRelease",
            {"driftDetection": {"mode": "enabled"}, "suspend": True},
            Policy.NEXT_DEPLOY,
        ),
    ],
)
def test_the_owners_own_object_decides_where_it_can_be_read(
    row: str, spec: Any, policy: Policy
) -> None:
    (owner,) = owners.of(ROWS[row][0], DEPLOYMENT)

    assert owner.ask is not None
    assert owners.judged(owner, {"spec": spec}).policy is policy
    assert owners.judged(owner, None).policy is Policy.UNKNOWN


def test_what_flux_is_told_on_the_workload_itself_outranks_its_own_object() -> None:
    (once,) = owners.of(owned(flux(FLUX), {f"{FLUX}/ssa": "IfNotPresent"}), DEPLOYMENT)
    (merged,) = owners.of(owned(flux(FLUX), {f"{FLUX}/ssa": "Merge"}), DEPLOYMENT)
    (kept,) = owners.of(owned(flux(RELEASE), {f"{RELEASE}/driftDetection": "disabled"}), DEPLOYMENT)

    assert (once.policy, once.ask) == (Policy.UNKNOWN, None)
    assert merged.ask is not None
    assert (kept.policy, kept.ask) == (Policy.NEXT_DEPLOY, None)


def test_several_owners_are_all_named() -> None:
    both = owned({**HELM_LABEL, "kapp.k14s.io/app": "1"}, HELM, ownerReferences=OPERATOR)

    assert [o.tool for o in owners.of(both, DEPLOYMENT)] == [
        "the controller of Shop",
        "Helm",
        "kapp",
    ]


def test_everybody_who_applies_the_template_is_named_once() -> None:
    many = owned(managedFields=[applied("ci"), applied("ci"), applied("team")])

    assert [o.name for o in owners.of(many, DEPLOYMENT)] == ["ci", "team"]


def test_an_owner_by_its_own_sign_is_not_named_again_as_who_applies() -> None:
    argo = owned(
        annotations={ARGO: "web:apps/Deployment:shop/web"},
        managedFields=[applied("argocd-controller")],
    )

    assert [o.tool for o in owners.of(argo, DEPLOYMENT)] == ["Argo CD"]


def test_a_hostile_name_stays_one_word_of_the_command() -> None:
    hostile = "x; rm -rf / 'y'\n"
    (found,) = owners.of(owned(HELM_LABEL, {"meta.helm.sh/release-name": hostile}), DEPLOYMENT)

    assert shlex.split(found.command) == ["helm", "rollback", hostile]


TEXT = st.text(max_size=30) | st.sampled_from(["[]", "{", "[1]", "null", '{"a": 1}', "[" * 2000])


@given(
    st.dictionaries(st.sampled_from([ARGO, TRIGGERS, *HELM, *flux(FLUX)]), TEXT),
    st.dictionaries(st.sampled_from([*flux(FLUX), *flux(RELEASE), *HELM_LABEL]), TEXT),
    st.sampled_from([None, [], {}, [None], [{"controller": True}]]),
)
def test_no_metadata_makes_it_fail(
    annotations: dict[str, str], labels: dict[str, str], references: Any
) -> None:
    for owner in owners.of(owned(labels, annotations, ownerReferences=references), DEPLOYMENT):
        for spec in (None, {}, {"spec": None}, {"spec": {"syncPolicy": 3}}):
            owners.judged(owner, spec)


def test_who_puts_it_back_or_may_is_waited_for_and_the_next_deploy_is_not() -> None:
    made = [Owner(tool="T", name=str(p), policy=p, command="c") for p in Policy]

    assert {o.policy for o in owners.may_revert(made)} == {Policy.REVERTS, Policy.UNKNOWN}
