"""What the kinds of workloads share; each kind has a file of its own beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import NAMESPACE, merged
from tests.objects.templates import template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.objects.metadata import Object

UID = "uid-web"
REVISION = "deployment.kubernetes.io/revision"


def written(
    kind: str,
    pod_template: Mapping[str, Any] | None,
    *,
    name: str,
    metadata: Mapping[str, Any] | None,
    spec: Mapping[str, Any],
) -> Object:
    """Return a workload as somebody writes it: its Pods are labelled with its name."""
    selector = {"matchLabels": {"app": name}}
    made = {"selector": selector, "template": pod_template or template(app=name)}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": merged({"name": name}, metadata),
        "spec": merged(made, spec),
    }


def stored(
    made: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None,
    status: Mapping[str, Any] | None,
) -> Object:
    """Return it as the API server has it, once its controller has seen it."""
    given = {"namespace": NAMESPACE, "uid": UID, "resourceVersion": "41", "generation": 4}
    return {
        **made,
        "metadata": merged({**made["metadata"], **given}, metadata),
        "status": merged({"observedGeneration": 4}, status),
    }
