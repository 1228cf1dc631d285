"""Who else writes a workload's template: GitOps, Helm, operators (reference owners.md, section 6).

Signs are metadata, so hints: a copied annotation names another object, and a label alone is weak.
BLOCK what is known to be undone behind the user's back, WARN about the rest.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from backout.core import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from backout.core.model import Object


class Policy(StrEnum):
    """What an owner will do about a template that somebody else has changed."""

    REVERTS = "puts it back by itself"
    NEXT_DEPLOY = "its next deploy will put it back"
    UNKNOWN = "its policy is not known"


OWNERS_TURN = 10.0
"""Seconds to wait for an owner: Argo CD heals itself after 5 (reference owners.md, section 6)."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """The object whose policy decides, where it can be read."""

    group: str
    version: str
    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One owner: `name` is untrusted text, `command` its own way back, filled in."""

    tool: str
    name: str
    policy: Policy
    command: str
    ask: Ask | None = None


def may_revert(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Return those that put the template back by themselves, or of which that is not known."""
    return tuple(o for o in owners if o.policy is not Policy.NEXT_DEPLOY)


def of(workload: Object) -> tuple[Owner, ...]:
    """Return every owner that the workload's metadata names, the strongest first."""
    found = tuple(owner for sign in _SIGNS if (owner := sign(workload)) is not None)
    return found or (*_client_side_apply(workload), *_server_side_apply(workload))


def judged(owner: Owner, found: Object | None) -> Owner:
    """Return the owner with the policy of the object that `ask` names; None was not readable."""
    if found is None or owner.ask is None:
        return owner
    spec: Mapping[str, object] = objects.dig(found, "spec", default={})
    return replace(owner, policy=_POLICIES[owner.tool](spec))


def _argo_cd(workload: Object) -> Owner | None:
    """`app:group/Kind:namespace/name` counts where it names this very object: copies exist."""
    tracked = _note(workload, "argocd.argoproj.io/tracking-id")
    app, _, rest = tracked.partition(":")
    namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
    if not app or rest != f"apps/Deployment:{namespace}/{objects.name(workload)}":
        return None
    where, _, name = app.rpartition("_")
    return Owner(
        tool="Argo CD",
        name=name,
        policy=Policy.UNKNOWN,
        command=shlex.join(["argocd", "app", "rollback", f"{where}/{name}" if where else name]),
        ask=Ask(
            group="argoproj.io",
            version="v1alpha1",
            resource="applications",
            namespace=where or "argocd",
            name=name,
        ),
    )


def _flux(workload: Object) -> Owner | None:
    prefix = "kustomize.toolkit.fluxcd.io"
    if _note(workload, f"{prefix}/reconcile") == "disabled":
        return None
    return _of_flux(
        workload, prefix, "Flux Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io/v1"
    )


def _flux_release(workload: Object) -> Owner | None:
    prefix = "helm.toolkit.fluxcd.io"
    return _of_flux(workload, prefix, "Flux HelmRelease", "helmreleases", f"{prefix}/v2")


def _of_flux(workload: Object, prefix: str, tool: str, resource: str, api: str) -> Owner | None:
    labels = objects.labels_of(workload)
    name, namespace = labels.get(f"{prefix}/name"), labels.get(f"{prefix}/namespace")
    if not name or not namespace:
        return None
    group, version = api.split("/")
    noun = resource.removesuffix("s")
    return Owner(
        tool=tool,
        name=str(name),
        policy=Policy.UNKNOWN,
        command=shlex.join(["flux", "suspend", noun, str(name), "-n", str(namespace)]),
        ask=Ask(
            group=group,
            version=version,
            resource=resource,
            namespace=str(namespace),
            name=str(name),
        ),
    )


def _helm(workload: Object) -> Owner | None:
    name = _note(workload, "meta.helm.sh/release-name")
    by = objects.labels_of(workload).get("app.kubernetes.io/managed-by")
    if not name or by != "Helm" or _flux_release(workload) is not None:
        return None
    where = _note(workload, "meta.helm.sh/release-namespace")
    command = ["helm", "rollback", name, *(["-n", where] if where else [])]
    return Owner(tool="Helm", name=name, policy=Policy.NEXT_DEPLOY, command=shlex.join(command))


def _kapp(workload: Object) -> Owner | None:
    name = str(objects.labels_of(workload).get("kapp.k14s.io/app", ""))
    command = "deploy the version before with kapp"
    return _plain("kapp", name, Policy.NEXT_DEPLOY, command)


def _fleet(workload: Object) -> Owner | None:
    name = _note(workload, "objectset.rio.cattle.io/id")
    return _plain("Fleet", name, Policy.UNKNOWN, "revert the change where Fleet reads it")


def _rollout(workload: Object) -> Owner | None:
    """Patching the template starts a canary in the Rollout that refers to it: no undo."""
    if not _note(workload, "rollout.argoproj.io/workload-generation"):
        return None
    name, namespace = objects.name(workload), str(workload["metadata"].get("namespace", ""))
    command = ["kubectl", "argo", "rollouts", "undo", name, "-n", namespace]
    return _plain("Argo Rollouts", name, Policy.REVERTS, shlex.join(command))


def _image_trigger(workload: Object) -> Owner | None:
    text = _note(workload, "image.openshift.io/triggers")
    if not text:
        return None
    try:
        triggers = json.loads(text)
        active = [t for t in triggers if str(t.get("paused", "")).lower() != "true"]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return _plain("OpenShift image trigger", "triggers", Policy.UNKNOWN, "oc set triggers")
    if not active:
        return None
    name = str(objects.dig(active[0], "from", "name", default="an ImageStreamTag"))
    namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
    words = ["oc", "set", "triggers", f"deploy/{objects.name(workload)}", "--manual"]
    command = shlex.join([*words, *(["-n", namespace] if namespace else [])])
    return _plain("OpenShift image trigger", name, Policy.REVERTS, command)


def _operator(workload: Object) -> Owner | None:
    for owner in objects.dig(workload, "metadata", "ownerReferences", default=[]):
        if objects.dig(owner, "controller") is True:
            kind, name = str(owner.get("kind")), str(owner.get("name"))
            namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
            command = shlex.join(["kubectl", "edit", kind.lower(), name, "-n", namespace])
            return _plain(f"the controller of {kind}", name, Policy.REVERTS, command)
    return None


def _client_side_apply(workload: Object) -> Iterator[Owner]:
    if _note(workload, "kubectl.kubernetes.io/last-applied-configuration"):
        yield Owner(
            tool="kubectl apply",
            name="its manifest",
            policy=Policy.NEXT_DEPLOY,
            command="kubectl apply -f the manifest as it was before",
        )


def _server_side_apply(workload: Object) -> Iterator[Owner]:
    """Who applies a part of the template: the patch takes its fields over, and they conflict."""
    entries = objects.dig(workload, "metadata", "managedFields", default=[])
    managers = [
        str(entry.get("manager"))
        for entry in entries
        if entry.get("operation") == "Apply"
        and objects.dig(entry, "fieldsV1", "f:spec", "f:template") is not None
    ]
    for name in dict.fromkeys(managers):
        words = ["kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager", name]
        yield Owner(
            tool="server-side apply",
            name=name,
            policy=Policy.NEXT_DEPLOY,
            command=f"{shlex.join(words)} -f the manifest as it was before",
        )


def _plain(tool: str, name: str, policy: Policy, command: str) -> Owner | None:
    return Owner(tool=tool, name=name, policy=policy, command=command) if name else None


def _note(workload: Object, key: str) -> str:
    return str(objects.annotations_of(workload).get(key, ""))


def _of_application(spec: Object) -> Policy:
    automated = objects.dig(spec, "syncPolicy", "automated")
    heals = objects.dig(automated, "selfHeal") is True
    is_on = objects.dig(automated, "enabled", default=True) is not False
    return Policy.REVERTS if heals and is_on else Policy.NEXT_DEPLOY


def _of_kustomization(spec: Object) -> Policy:
    return Policy.NEXT_DEPLOY if objects.dig(spec, "suspend") is True else Policy.REVERTS


def _of_release(spec: Object) -> Policy:
    corrects = objects.dig(spec, "driftDetection", "mode") == "enabled"
    is_on = objects.dig(spec, "suspend") is not True
    return Policy.REVERTS if corrects and is_on else Policy.NEXT_DEPLOY


_SIGNS: tuple[Callable[[Object], Owner | None], ...] = (
    _operator,
    _argo_cd,
    _flux,
    _flux_release,
    _rollout,
    _image_trigger,
    _helm,
    _kapp,
    _fleet,
)
_POLICIES: Mapping[str, Callable[[Object], Policy]] = {
    "Argo CD": _of_application,
    "Flux Kustomization": _of_kustomization,
    "Flux HelmRelease": _of_release,
}
