"""StatefulSets and their Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import merged, owned_by
from tests.objects.pods import pod
from tests.objects.workloads import UID, stored, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.objects.metadata import Object

HASH = "controller-revision-hash"


def manifest(
    pod_template: Mapping[str, Any] | None = None,
    *,
    name: str = "web",
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    given = {"replicas": 3, "serviceName": name, **spec}
    return written("StatefulSet", pod_template, name=name, metadata=metadata, spec=given)


def stateful_set(
    pod_template: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """Return a StatefulSet that its controller has seen, as the API server defaults it."""
    given = {
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **spec,
    }
    return stored(manifest(pod_template, **given), metadata=metadata, status=status)


def ordinal(place: int, revision: str = "web-v1", **how: Any) -> Object:
    """Return the Pod at an ordinal, made of this ControllerRevision; `how` as `pod` takes it."""
    metadata = merged(
        {
            "labels": {"app": "web", HASH: revision},
            "ownerReferences": owned_by(UID, kind="StatefulSet", name="web"),
        },
        how.pop("metadata", None),
    )
    return pod(f"web-{place}", metadata=metadata, **how)
