"""DaemonSets and their Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import merged, owned_by
from tests.objects.pods import pod
from tests.objects.stateful_sets import HASH
from tests.objects.workloads import UID, stored, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.objects.metadata import Object


def manifest(
    pod_template: Mapping[str, Any] | None = None,
    *,
    name: str = "web",
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    return written("DaemonSet", pod_template, name=name, metadata=metadata, spec=spec)


def daemon_set(
    pod_template: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """Return a DaemonSet that its controller has seen, as the API server defaults it."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    made = manifest(pod_template, **{"updateStrategy": strategy, **spec})
    return stored(made, metadata=metadata, status=status)


def on_node(node: str, revision: str = "v1", **how: Any) -> Object:
    """Return the Pod of a node, made of the ControllerRevision with this hash."""
    metadata = merged(
        {
            "labels": {"app": "web", HASH: revision},
            "ownerReferences": owned_by(UID, kind="DaemonSet", name="web"),
        },
        how.pop("metadata", None),
    )
    name = how.pop("name", f"web-{revision}-{node}")
    return pod(name, metadata=metadata, spec={"nodeName": node, **how.pop("spec", {})}, **how)
