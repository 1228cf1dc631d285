"""Nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import condition, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.objects.metadata import Object


def node(
    name: str = "n1",
    *,
    ready: str = "True",
    platform: str = "linux/amd64",
    cpu: str = "4",
    memory: str = "8Gi",
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> Object:
    """Return a node; `ready` is True, False or Unknown, as a condition writes them."""
    system, architecture = platform.split("/")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": merged({"kubernetes.io/arch": architecture}, labels)},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory},
            "conditions": [condition("Ready", ready)],
            "nodeInfo": {"operatingSystem": system, "architecture": architecture},
        },
    }
