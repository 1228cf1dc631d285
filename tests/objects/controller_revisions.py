"""ControllerRevisions, the history of a StatefulSet or a DaemonSet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.objects import metadata
from tests.objects.metadata import owned_by
from tests.objects.templates import template
from tests.objects.times import NOW, stamp
from tests.objects.workloads import UID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.objects.metadata import Object


def controller_revision(
    number: int,
    image: str | None = None,
    *,
    name: str = "",
    pods: Mapping[str, Any] | None = None,
    created: datetime | None = None,
    owner: str = UID,
    notes: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Object:
    """Return a ControllerRevision `web-v<number>`; `pods` is its template.

    Without it each number has an image of its own. `owner` is a uid.
    """
    made = pods or template(image or f"reg.example/app:v{number}")
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata.stored(
            name or f"web-v{number}",
            creationTimestamp=stamp(created or NOW - timedelta(hours=48 - number)),
            labels={**made["metadata"]["labels"], **(labels or {})},
            annotations=dict(notes or {}),
            ownerReferences=owned_by(owner),
        ),
        "data": {"spec": {"template": {"$patch": "replace", **made}}},
        "revision": number,
    }
