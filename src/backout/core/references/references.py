"""What a Pod template names and cannot do without: ConfigMaps, Secrets, claims, and more.

Where each is named: kubernetes pkg/api/v1/pod/util.go (VisitPodSecretNames,
VisitPodConfigmapNames); what a missing one does: docs/failures/ (measured on 1.34.4).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from backout.core.kubernetes.managed_fields import Change
    from backout.core.model import Object


class Referent(StrEnum):
    """The kinds that a template names, as the API spells them."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 (a kind's name)
    CLAIM = "PersistentVolumeClaim"
    SERVICE_ACCOUNT = "ServiceAccount"
    PRIORITY_CLASS = "PriorityClass"
    RUNTIME_CLASS = "RuntimeClass"


_READ_BY_KUBELET = (("csi", "nodePublishSecretRef"), ("flexVolume", "secretRef"))
"""Secrets of drivers that the kubelet itself fetches, so that a volume is not mounted without."""

VERSIONED = frozenset({Referent.CONFIG_MAP, Referent.SECRET})
"""The kinds whose content a Pod takes over: another version may be one that it never ran with."""


class Reference(Struct, frozen=True, order=True, kw_only=True):
    """One object by kind and name; in the workload's namespace where the kind has one."""

    kind: Referent
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Use(Struct, frozen=True, kw_only=True):
    """One place that names a reference: `key` empty for the whole, `by` in words."""

    reference: Reference
    by: str
    key: str = ""
    optional: bool = False


class Named(Struct, frozen=True, kw_only=True):
    """What was found by that name; values are never kept.

    `keys` are those that managed fields show; `are_all` where there are no others. `changed` is the
    newest write of its data, `version` its resourceVersion. `waits_for` is the StorageClass of a
    claim that is not bound, `unusable` why no new Pod can use a claim, both else empty; `overhead`
    is what a RuntimeClass adds to each Pod, `modes` a claim's access modes.
    """

    exists: bool
    keys: frozenset[str] = frozenset()
    are_all: bool = False
    changed: Change | None = None
    waits_for: str = ""
    unusable: str = ""
    version: str = ""
    overhead: Mapping[str, str] = field(default_factory=dict)
    modes: frozenset[str] = frozenset()


def of_template(template: Object) -> tuple[Use, ...]:
    """Return every use, in the template's order; what has no name names nothing."""
    spec = objects.dig(template, "spec", default={})
    found = [*_of_spec(spec)]
    for container in objects.containers(template):
        found += _of_container(container)
    for volume in objects.dig(spec, "volumes", default=[]):
        found += _of_volume(volume)
    return tuple(use for use in found if use.reference.name)


def ephemeral_classes(template: Object) -> Mapping[str, str]:
    """Return the StorageClass of each volume that makes a claim of its own for every Pod."""
    path = ("ephemeral", "volumeClaimTemplate", "spec", "storageClassName")
    volumes = objects.dig(template, "spec", "volumes", default=[])
    found = {str(v.get("name")): str(objects.dig(v, *path, default="")) for v in volumes}
    return {volume: storage_class for volume, storage_class in found.items() if storage_class}


def versioned(template: Object) -> frozenset[Reference]:
    """Return the ConfigMaps and Secrets that it uses: what is remembered by its version."""
    uses = of_template(template)
    return frozenset(u.reference for u in uses if u.reference.kind in VERSIONED)


def versions(template: Object, named: Mapping[Reference, Named]) -> dict[str, str]:
    """Return the resourceVersion of each ConfigMap and Secret that it uses and that was read.

    Keys are `ConfigMap/settings`. No two writes of an object have the same version, so that one
    which is read again later was there all the while.
    """
    found = {r: named[r].version for r in sorted(versioned(template)) if r in named}
    return {f"{r.kind}/{r.name}": version for r, version in found.items() if version}


def unchanged_since(named: Mapping[Reference, Named], at: datetime) -> dict[Reference, Named]:
    """Return what is known to have been written before `at`, and not again.

    Managed fields count whole seconds, so one is left between; what they do not tell is left out.
    """
    latest = at - timedelta(seconds=1)
    return {r: n for r, n in named.items() if n.changed is not None and n.changed.at <= latest}


def lacking(use: Use, named: Named) -> str:
    """Return what a use does not find, in words; empty where all is there or cannot be told."""
    if use.optional:
        return ""
    if not named.exists:
        return f"{use.reference} does not exist; {use.by} needs it"
    if named.unusable:
        return f"{use.reference} {named.unusable}; {use.by} needs it"
    if use.key and named.are_all and use.key not in named.keys:
        return f"{use.reference} has no key {use.key}; {use.by} needs it"
    return ""


def untold(template: Object, named: Mapping[Reference, Named]) -> tuple[Reference, ...]:
    """Return what is there and may lack a key that it is used by: not all its keys are shown."""
    found = {
        use.reference
        for use in of_template(template)
        if use.key and not use.optional and use.reference in named
        if named[use.reference].exists and not named[use.reference].are_all
        if use.key not in named[use.reference].keys
    }
    return tuple(sorted(found))


def _of_spec(spec: Object) -> Iterator[Use]:
    for kind, key, standard in (
        (Referent.SERVICE_ACCOUNT, "serviceAccountName", "default"),
        (Referent.PRIORITY_CLASS, "priorityClassName", ""),
        (Referent.RUNTIME_CLASS, "runtimeClassName", ""),
    ):
        name = str(objects.dig(spec, key, default=standard))
        yield Use(reference=Reference(kind=kind, name=name), by="the Pod")


def _of_container(container: Object) -> Iterator[Use]:
    by = f"container {container.get('name')}"
    for source in objects.dig(container, "envFrom", default=[]):
        for kind, key in (
            (Referent.CONFIG_MAP, "configMapRef"),
            (Referent.SECRET, "secretRef"),
        ):
            yield _use(kind, objects.dig(source, key, default={}), by)
    for one in objects.dig(container, "env", default=[]):
        for kind, key in (
            (Referent.CONFIG_MAP, "configMapKeyRef"),
            (Referent.SECRET, "secretKeyRef"),
        ):
            source = objects.dig(one, "valueFrom", key, default={})
            yield _use(kind, source, by, key=str(objects.dig(source, "key", default="")))


def _of_volume(volume: Object) -> Iterator[Use]:
    by = f"volume {volume.get('name')}"
    for source in [volume, *objects.dig(volume, "projected", "sources", default=[])]:
        for kind, key, name in (
            (Referent.CONFIG_MAP, "configMap", "name"),
            (Referent.SECRET, "secret", "name" if source is not volume else "secretName"),
        ):
            body = objects.dig(source, key, default={})
            yield _use(kind, body, by, name=name)
            for item in objects.dig(body, "items", default=[]):
                yield _use(kind, body, by, name=name, key=str(objects.dig(item, "key", default="")))
    claim = objects.dig(volume, "persistentVolumeClaim", default={})
    yield _use(Referent.CLAIM, claim, by, name="claimName")
    for driver, key in _READ_BY_KUBELET:
        yield _use(Referent.SECRET, objects.dig(volume, driver, key, default={}), by)


def _use(kind: Referent, source: Object, by: str, *, name: str = "name", key: str = "") -> Use:
    return Use(
        reference=Reference(kind=kind, name=str(objects.dig(source, name, default=""))),
        by=by,
        key=key,
        optional=objects.dig(source, "optional") is True,
    )
