"""What a HorizontalPodAutoscaler (autoscaling/v2) says about a workload and can make of a template.

Source: kubernetes pkg/controller/podautoscaler (horizontal.go: reasons of ScalingLimited;
metrics/utilization and replica_calculator.go: a container without a request fails the metric).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core import demand, objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backout.core.model import Object, Target


def of(autoscalers: Iterable[Object], target: Target) -> Iterator[Object]:
    """Yield those that scale the workload; KEDA's are among them."""
    for one in autoscalers:
        reference = objects.dig(one, "spec", "scaleTargetRef", default={})
        named = (reference.get("kind"), reference.get("name"))
        if named == (target.kind, target.name) and _is_of_apps(reference):
            yield one


def wants_more(autoscaler: Object) -> bool:
    """Tell whether it is at its maximum and would go on."""
    limited = objects.condition(autoscaler, "ScalingLimited") or {}
    return limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas"


def unmeasured(autoscaler: Object, template: Object) -> Iterator[str]:
    """Yield what a metric is a share of and a container of the template does not request."""
    for metric in objects.dig(autoscaler, "spec", "metrics", default=[]):
        kind = metric.get("type")
        source = objects.dig(metric, {"Resource": "resource"}.get(str(kind), "containerResource"))
        if objects.dig(source, "target", "type") != "Utilization":
            continue
        resource, only = str(source.get("name")), source.get("container")
        for container in objects.dig(template, "spec", "containers", default=[]):
            is_meant = only in {None, container.get("name")}
            if is_meant and resource not in demand.of_container(container):
                yield f"container {container.get('name')} requests no {resource}"


def _is_of_apps(reference: Object) -> bool:
    return str(reference.get("apiVersion", "")).partition("/")[0] in {"apps", "extensions"}
