"""Which nodes may take a Pod of a template: cordons, its selector, its affinity, taints.

No room is counted. Source: component-helpers scheduling/corev1 (nodeaffinity, helpers.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.room import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object


def eligible(listed: Iterable[Object], template: Object) -> list[Object]:
    """Return the nodes that the scheduler could choose for a Pod of this template."""
    spec = objects.dig(template, "spec", default={})
    return [node for node in listed if is_schedulable(node) and _takes(node, spec)]


def is_schedulable(node: Object) -> bool:
    """Tell whether a node is not cordoned."""
    return objects.dig(node, "spec", "unschedulable") is not True


def platform(node: Object) -> str:
    """Return `os/architecture` of a node; empty where it does not tell."""
    told = objects.dig(node, "status", "nodeInfo", default={})
    words = [str(told.get(key) or "") for key in ("operatingSystem", "architecture")]
    return "/".join(words) if all(words) else ""


def _takes(node: Object, spec: Object) -> bool:
    return not nodes.not_selected(node, spec) and all(
        _tolerates(taint, spec) for taint in nodes.keeps_off(node)
    )


def _tolerates(taint: Object, spec: Object) -> bool:
    """Tell whether a taint keeps nobody out: a condition passes by itself."""
    passes = str(taint.get("key", "")).startswith("node.kubernetes.io/")
    return passes or nodes.tolerated(taint, objects.dig(spec, "tolerations", default=[]))
