"""Who else writes a workload's template: GitOps, Helm, operators (docs/facts/owners.md).

Signs are metadata, so hints: a copied annotation names another object, and a label alone is weak.
BLOCK what is known to be undone behind the user's back, WARN about the rest.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.kubernetes import objects
from backout.core.owners import drift, image_triggers, updaters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backout.core.kinds.kind import Kind
    from backout.core.model import Object


class Policy(StrEnum):
    """What an owner will do about a template that somebody else has changed."""

    REVERTS = "puts it back by itself"
    NEXT_DEPLOY = "its next deploy will put it back"
    UNKNOWN = "its policy is not known"


_INFRASTRUCTURE = (
    ("Terraform", "terraform", "terraform apply"),
    ("Terraform", "hashicorp", "terraform apply"),
    ("Pulumi", "pulumi", "pulumi up"),
)
_OBJECT_SET = "objectset.rio.cattle.io"
_SOURCE = "jsonpath={.spec.source}"
CLIENT_SIDE, SERVER_SIDE, HELM = "kubectl apply", "server-side apply", "Helm"
OWNERS_TURN = 10.0
"""Seconds to wait for an owner: Argo CD heals itself after 5 (docs/facts/owners.md)."""


class Ask(Struct, frozen=True, kw_only=True):
    """The object whose policy decides, where it can be read.

    `about` is the workload as `group/Kind/name`.
    """

    group: str
    version: str
    resource: str
    namespace: str
    name: str
    about: str = ""


class Owner(Struct, frozen=True, kw_only=True):
    """One owner: `name` is untrusted text, `command` its own way back, filled in.

    `does` says what it does by itself where that is not to put the template back; `detail` what to
    know of its own way.
    """

    tool: str
    name: str
    policy: Policy
    command: str
    ask: Ask | None = None
    does: str = ""
    detail: str = ""


def may_revert(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Return those that put the template back by themselves, or of which that is not known."""
    return tuple(o for o in owners if o.policy is not Policy.NEXT_DEPLOY)


def of(workload: Object, kind: Kind) -> tuple[Owner, ...]:
    """Return every owner that the workload's metadata names, the strongest first."""
    found = tuple(owner for sign in _SIGNS if (owner := sign(workload, kind)) is not None)
    return found or (*_client_side_apply(workload), *_server_side_apply(workload))


def judged(owner: Owner, found: Object | None) -> Owner:
    """Return the owner with the policy of the object that `ask` names; None was not readable."""
    if found is None or owner.ask is None:
        return owner
    spec: Mapping[str, object] = objects.dig(found, "spec", default={})
    return replace(owner, policy=_POLICIES[owner.tool](spec, owner.ask.about))


def _argo_cd(workload: Object, kind: Kind) -> Owner | None:
    app = _tracked(workload, kind)
    if not app:
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
            about=f"{kind.resource.group}/{kind.resource.name}/{objects.name(workload)}",
        ),
        detail="it refuses a rollback while automated sync is on: git revert the change then",
    )


def _tracked(workload: Object, kind: Kind) -> str:
    """Return the application as `namespace_name` or `name`; empty where there is none.

    `app:group/Kind:namespace/name` counts where it names this very object: copies exist. The label
    of older versions counts only beside another sign of Argo CD: Helm charts set it, too.
    """
    tracked = _note(workload, "argocd.argoproj.io/tracking-id")
    if tracked:
        app, _, rest = tracked.partition(":")
        namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
        named = f"{kind.resource.group}/{kind.resource.name}:{namespace}/{objects.name(workload)}"
        return app if rest == named else ""
    is_argos = bool(_note(workload, "argocd.argoproj.io/installation-id")) or any(
        entry.get("manager") == "argocd-controller" for entry in _entries(workload)
    )
    instance = objects.labels_of(workload).get("app.kubernetes.io/instance", "")
    return str(instance) if is_argos else ""


def _flux(workload: Object, _kind: Kind) -> Owner | None:
    prefix = "kustomize.toolkit.fluxcd.io"
    apply = _told(workload, f"{prefix}/ssa")
    if "disabled" in _told(workload, f"{prefix}/reconcile") or "ignore" in apply:
        return None
    owner = _of_flux(
        workload, prefix, "Flux Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io/v1"
    )
    # It counts where the source says so; somebody may have written it on the live object alone.
    return replace(owner, ask=None) if owner and "ifnotpresent" in apply else owner


def _flux_release(workload: Object, _kind: Kind) -> Owner | None:
    prefix = "helm.toolkit.fluxcd.io"
    owner = _of_flux(workload, prefix, "Flux HelmRelease", "helmreleases", f"{prefix}/v2")
    if owner and "disabled" in _told(workload, f"{prefix}/driftDetection"):
        return replace(owner, ask=None, policy=Policy.NEXT_DEPLOY)
    return owner


def _told(workload: Object, key: str) -> set[str]:
    """Return what Flux is told by a label or an annotation, in small letters.

    Source: AnyInMetadata in fluxcd/pkg/ssa/utils/meta.go.
    """
    by = (objects.labels_of(workload), objects.annotations_of(workload))
    return {str(one[key]).lower() for one in by if key in one}


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
        detail="git revert the change before flux resume",
    )


def _helm(workload: Object, _kind: Kind) -> Owner | None:
    name = _note(workload, "meta.helm.sh/release-name")
    by = objects.labels_of(workload).get("app.kubernetes.io/managed-by")
    if not name or by != "Helm" or _flux_release(workload, _kind) is not None:
        return None
    where = _note(workload, "meta.helm.sh/release-namespace")
    command = ["helm", "rollback", name, *(["-n", where] if where else [])]
    return Owner(
        tool=HELM,
        name=name,
        policy=Policy.NEXT_DEPLOY,
        command=shlex.join(command),
    )


def _kapp(workload: Object, _kind: Kind) -> Owner | None:
    app = str(objects.labels_of(workload).get("kapp.k14s.io/app", ""))
    words = shlex.join(["kapp", "deploy", "-a", f"label:kapp.k14s.io/app={app}"])
    return _plain("kapp", app, Policy.NEXT_DEPLOY, f"{words} -f the manifests as they were before")


def _object_set(workload: Object, _kind: Kind) -> Owner | None:
    """Return Fleet, which names its bundle, or the object that k3s or Rancher applied it for."""
    name, kind = (_note(workload, f"{_OBJECT_SET}/owner-{key}") for key in ("name", "gvk"))
    if not name or not kind:
        bundle = _note(workload, f"{_OBJECT_SET}/id")
        command = f"git revert the change in what bundle {shlex.quote(bundle)} deploys"
        return _plain("Fleet", bundle, Policy.UNKNOWN, command)
    group, _, noun = (part.strip() for part in kind.partition(", Kind="))
    plural = f"{noun.lower()}s.{group.partition('/')[0]}"
    where = _note(workload, f"{_OBJECT_SET}/owner-namespace")
    words = ["kubectl", "get", plural, name, *(["-n", where] if where else [])]
    if group != "k3s.cattle.io/v1":
        return _plain(f"the controller of {noun}", name, Policy.UNKNOWN, shlex.join(words))
    return Owner(
        tool="k3s addon",
        name=name,
        policy=Policy.UNKNOWN,
        command=f"correct the manifest that {shlex.join([*words, '-o', _SOURCE])} names",
        detail="k3s applies a manifest again when its file changes, and when a server starts",
    )


def _image_trigger(workload: Object, _kind: Kind) -> Owner | None:
    try:
        active = image_triggers.active(workload)
    except ValueError:
        return _plain("OpenShift image trigger", "triggers", Policy.UNKNOWN, "oc set triggers")
    if not active:
        return None
    return Owner(
        tool="OpenShift image trigger",
        name=active[0].source or "an ImageStreamTag",
        policy=Policy.REVERTS,
        command=image_triggers.pause(workload, active[0]),
        detail="the same with --auto in place of --manual puts the trigger back",
    )


def _keel(workload: Object, kind: Kind) -> Owner | None:
    policy = updaters.keel_policy(workload)
    if not policy:
        return None
    polls = updaters.keel_polls(workload)
    return Owner(
        tool="Keel",
        name=policy,
        policy=Policy.REVERTS if polls else Policy.UNKNOWN,
        command=updaters.keel_off(workload, kind),
        does="sets its image to the newest tag again" if polls else "",
        detail="the same with the policy as it was puts it back",
    )


def _infrastructure(workload: Object, _kind: Kind) -> Owner | None:
    """Return Terraform or Pulumi, whose field managers wrote the template."""
    for entry in _entries(workload):
        manager = str(entry.get("manager", ""))
        wrote = objects.dig(entry, "fieldsV1", "f:spec", "f:template") is not None
        for tool, start, verb in _INFRASTRUCTURE:
            if wrote and manager.lower().startswith(start):
                words = f"{verb} with the code as it was before"
                return _plain(tool, manager, Policy.NEXT_DEPLOY, words)
    return None


def _operator(workload: Object, _kind: Kind) -> Owner | None:
    for owner in objects.dig(workload, "metadata", "ownerReferences", default=[]):
        if objects.dig(owner, "controller") is True:
            kind, name = str(owner.get("kind")), str(owner.get("name"))
            namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
            group, _, version = str(owner.get("apiVersion", "")).rpartition("/")
            resource = f"{kind.lower()}.{group}" if group and version else kind.lower()
            command = shlex.join(["kubectl", "edit", resource, name, "-n", namespace])
            return _plain(f"the controller of {kind}", name, Policy.REVERTS, command)
    return None


def _client_side_apply(workload: Object) -> Iterator[Owner]:
    if _note(workload, "kubectl.kubernetes.io/last-applied-configuration"):
        yield Owner(
            tool=CLIENT_SIDE,
            name="its manifest",
            policy=Policy.NEXT_DEPLOY,
            command="kubectl apply -f the manifest as it was before",
        )


def _server_side_apply(workload: Object) -> Iterator[Owner]:
    """Who applies a part of the template: the patch takes its fields over, and they conflict."""
    for name in _appliers(workload):
        words = ["kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager", name]
        yield Owner(
            tool=SERVER_SIDE,
            name=name,
            policy=Policy.NEXT_DEPLOY,
            command=f"{shlex.join(words)} -f the manifest as it was before",
        )


def _appliers(workload: Object) -> tuple[str, ...]:
    """Return who applies a part of the template server-side, each once."""
    managers = [
        str(entry.get("manager"))
        for entry in _entries(workload)
        if entry.get("operation") == "Apply"
        and objects.dig(entry, "fieldsV1", "f:spec", "f:template") is not None
    ]
    return tuple(dict.fromkeys(managers))


def _entries(workload: Object) -> Sequence[Object]:
    found: Sequence[Object] = objects.dig(workload, "metadata", "managedFields", default=[])
    return found


def _plain(tool: str, name: str, policy: Policy, command: str) -> Owner | None:
    return Owner(tool=tool, name=name, policy=policy, command=command) if name else None


def _note(workload: Object, key: str) -> str:
    return str(objects.annotations_of(workload).get(key, ""))


def _of_application(spec: Object, name: str) -> Policy:
    automated = objects.dig(spec, "syncPolicy", "automated")
    heals = objects.dig(automated, "selfHeal") is True
    is_on = objects.dig(automated, "enabled", default=True) is not False
    if heals and is_on and drift.is_overlooked(spec, name):
        return Policy.UNKNOWN
    return Policy.REVERTS if heals and is_on else Policy.NEXT_DEPLOY


def _of_kustomization(spec: Object, _: str) -> Policy:
    return Policy.NEXT_DEPLOY if objects.dig(spec, "suspend") is True else Policy.REVERTS


def _of_release(spec: Object, _: str) -> Policy:
    corrects = objects.dig(spec, "driftDetection", "mode") == "enabled"
    is_on = objects.dig(spec, "suspend") is not True
    return Policy.REVERTS if corrects and is_on else Policy.NEXT_DEPLOY


_SIGNS: tuple[Callable[[Object, Kind], Owner | None], ...] = (
    _operator,
    _argo_cd,
    _flux,
    _flux_release,
    _image_trigger,
    _keel,
    _infrastructure,
    _helm,
    _kapp,
    _object_set,
)
_POLICIES: Mapping[str, Callable[[Object, str], Policy]] = {
    "Argo CD": _of_application,
    "Flux Kustomization": _of_kustomization,
    "Flux HelmRelease": _of_release,
}
