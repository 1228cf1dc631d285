"""ReplicaSets, the history of a Deployment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.objects import metadata
from tests.objects.metadata import merged, owned_by
from tests.objects.templates import template
from tests.objects.times import NOW, stamp
from tests.objects.workloads import REVISION, UID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.objects.metadata import Object


def replica_set(
    number: int | str | None,
    image: str | None = None,
    *,
    name: str = "",
    pods: Mapping[str, Any] | None = None,
    created: datetime | None = None,
    owner: str = UID,
    notes: Mapping[str, str] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """Return a ReplicaSet; `number` None leaves the annotation out.

    `pods` is its template; without it, each number has an image of its own. `owner` is a uid.
    """
    name = name or f"web-{number}"
    hashed = {"metadata": {"labels": {"pod-template-hash": name}}}
    made = merged(pods or template(image or f"reg.example/app:v{number}"), hashed)
    labels = made["metadata"]["labels"]
    annotations = {} if number is None else {REVISION: str(number)}
    age = number if isinstance(number, int) else 0
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata.stored(
            name,
            creationTimestamp=stamp(created or NOW - timedelta(hours=48 - age)),
            labels=labels,
            annotations={**(notes or {}), **annotations},
            ownerReferences=owned_by(owner, kind="Deployment"),
        ),
        "spec": merged(
            {"replicas": 0, "selector": {"matchLabels": labels}, "template": made}, spec
        ),
        "status": merged({}, status),
    }
