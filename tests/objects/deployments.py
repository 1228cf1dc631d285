"""Deployments: as somebody writes one, and as the API server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.workloads import REVISION, stored, written

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
    given = {"replicas": 3, **spec}
    return written("Deployment", pod_template, name=name, metadata=metadata, spec=given)


def deployment(
    pod_template: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """Return a Deployment at revision 3 that its controller has seen."""
    made = manifest(pod_template, metadata={"annotations": {REVISION: "3"}}, **spec)
    return stored(made, metadata=metadata, status=status)
