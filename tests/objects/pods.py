"""Pods, and what the kubelet says of their containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects import metadata as made_metadata
from tests.objects.metadata import condition, merged, owned_by
from tests.objects.templates import template
from tests.objects.times import NOW, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.objects.metadata import Object


def pod(
    name: str = "web-3-a",
    *,
    of: str = "web-3",
    ready: bool = True,
    metadata: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, Any]] = (),
    containers: Sequence[Mapping[str, Any]] = (),
    init: Sequence[Mapping[str, Any]] = (),
    spec: Mapping[str, Any] | None = None,
    **status: Any,
) -> Object:
    """Return a Pod of the ReplicaSet `of`; `status` are more fields of its status."""
    owners = owned_by(f"uid-{of}", kind="ReplicaSet")
    told = {
        "conditions": [condition("Ready", str(ready)), *conditions],
        "initContainerStatuses": list(init),
        "containerStatuses": list(containers),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": made_metadata.stored(name, metadata, ownerReferences=owners),
        "spec": merged(template()["spec"], spec),
        "status": merged(told, status),
    }


def container_status(**status: Any) -> Object:
    made = {
        "name": "app",
        "image": "reg.example/app:v9",
        "ready": False,
        "restartCount": 0,
        "state": {"running": {"startedAt": stamp(NOW)}},
        "lastState": {},
    }
    return {**made, **status}


def waiting(reason: str, message: str = "", **status: Any) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return container_status(state=state, **status)


def terminated(reason: str, code: int, message: str = "") -> Object:
    return {"terminated": {"reason": reason, "exitCode": code, "message": message}}
