"""Whether the Pods that a Service selects are one workload's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

SHOWN = 2
"""Pods of others that are named."""


def takes_only(service: Object, selector: Object) -> bool:
    """Tell whether a Service asks for all that a workload's LabelSelector does, so for its Pods.

    Selectors of two workloads that overlap are a fault of their own.
    """
    asked = objects.dig(service, "spec", "selector", default={})
    wanted = objects.dig(selector, "matchLabels", default={})
    is_whole = not objects.dig(selector, "matchExpressions", default=[])
    return is_whole and wanted.items() <= asked.items()


def others(service: Object, workload: Object, pods: Iterable[Object]) -> str:
    """Return in words that a Service selects Pods of others; empty where it does not.

    `pods` are those that it selects. A workload's own are known by its selector.
    """
    selector = objects.dig(workload, "spec", "selector")
    foreign = [
        objects.name(pod)
        for pod in pods
        if objects.is_active(pod) and not objects.selects(selector, objects.labels_of(pod))
    ]
    if not foreign:
        return ""
    more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
    return (
        f"Service {objects.name(service)} selects Pods of other workloads, too "
        f"({', '.join(foreign[:SHOWN])}{more}): its answers prove nothing about this one"
    )
