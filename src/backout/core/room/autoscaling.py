"""What a HorizontalPodAutoscaler (autoscaling/v2) says about a workload and can make of a template.

Source: kubernetes pkg/controller/podautoscaler (horizontal.go: reasons of ScalingLimited;
metrics/utilization and replica_calculator.go: a container without a request fails the metric).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.room import demand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backout.core.kinds.target import Target
    from backout.core.model import Object


_BY_VPA = re.compile(r"Pod resources updated by (?P<name>[a-z0-9.-]{1,253}): (?P<changes>.*)")
_FORMER = "extensions"
"""The group that `apps` was split from: old autoscalers still name it."""
_SET_BY_VPA = re.compile(r"\b(request|limit)\b")


def of(autoscalers: Iterable[Object], target: Target) -> Iterator[Object]:
    """Yield those that scale the workload; KEDA's are among them."""
    kind = target.kind.resource
    for one in autoscalers:
        reference = objects.dig(one, "spec", "scaleTargetRef", default={})
        named = (reference.get("kind"), reference.get("name"))
        group = str(reference.get("apiVersion", "")).partition("/")[0]
        if named == (kind.name, target.name) and group in {kind.group, _FORMER}:
            yield one


def scaled_object(autoscaler: Object) -> str:
    """Return the ScaledObject that KEDA made it for; empty where KEDA did not make it."""
    for owner in objects.dig(autoscaler, "metadata", "ownerReferences", default=[]):
        group, _, _ = str(objects.dig(owner, "apiVersion", default="")).partition("/")
        if group == "keda.sh" and owner.get("kind") == "ScaledObject":
            return str(owner.get("name"))
    return ""


def changed_by_vpa(pods: Iterable[Object]) -> Mapping[str, str]:
    """Return what each VerticalPodAutoscaler set when it let a Pod through, in words.

    Source: vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch
    (the annotation that it writes: `Pod resources updated by NAME: container 0: cpu request`).
    """
    found: dict[str, set[str]] = {}
    for one in pods:
        told = _BY_VPA.fullmatch(str(objects.annotations_of(one).get("vpaUpdates", "")))
        if told:
            found.setdefault(told["name"], set()).update(_SET_BY_VPA.findall(told["changes"]))
    return {n: " and ".join(sorted(f"{word}s" for word in c)) for n, c in found.items() if c}


def wants_more(autoscaler: Object) -> bool:
    """Tell whether it is at its maximum and would go on."""
    limited = objects.condition(autoscaler, "ScalingLimited") or {}
    return limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas"


def unmeasured(autoscaler: Object, template: Object) -> Iterator[str]:
    """Yield what a metric is a share of and the template does not request.

    Source: calculateRequests in kubernetes pkg/controller/podautoscaler/replica_calculator.go; a
    Pod's own resources (KEP-2837) are measured instead of its containers'.
    """
    for metric in objects.dig(autoscaler, "spec", "metrics", default=[]):
        kind = metric.get("type")
        source = objects.dig(metric, {"Resource": "resource"}.get(str(kind), "containerResource"))
        if objects.dig(source, "target", "type") != "Utilization":
            continue
        resource, only = str(source.get("name")), source.get("container")
        if only is None and objects.dig(template, "spec", "resources"):
            if resource not in demand.requests(template):
                yield f"the Pod requests no {resource}"
            continue
        for container in objects.serving_containers(template):
            is_meant = only in {None, container.get("name")}
            if is_meant and resource not in demand.of_container(container):
                yield f"container {container.get('name')} requests no {resource}"
