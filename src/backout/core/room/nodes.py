"""Whether a node could ever take a Pod of a template; what runs there already is not looked at.

Source: kubernetes pkg/scheduler/framework/plugins (nodeunschedulable, tainttoleration,
nodeaffinity, noderesources) and component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects, quantity
from backout.core.room import demand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backout.core.model import Object

_CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_KEEPS_OFF = {"NoSchedule", "NoExecute"}
SHOWN = 3
"""Reasons that fit in a finding."""


def why_none(nodes: Sequence[Object], template: Object) -> str:
    """Return why no node takes a Pod of a template, most common reason first; empty if one does.

    Nothing is said where there are no nodes, or where the Pod names its node itself.
    """
    if not nodes or objects.dig(template, "spec", "nodeName"):
        return ""
    reasons = [why_not(node, template) for node in nodes]
    if not all(reasons):
        return ""
    told = [f"{n} of {len(nodes)}: {why}" for why, n in Counter(reasons).most_common(SHOWN)]
    return "; ".join(told)


def why_not(node: Object, template: Object) -> str:
    """Return the first reason for which a node takes no Pod of a template; empty if it does."""
    spec = objects.dig(template, "spec", default={})
    return (
        not_selected(node, spec)
        or _kept_off(node, objects.dig(spec, "tolerations", default=[]))
        or _too_small(node, template)
    )


def not_selected(node: Object, spec: Object) -> str:
    """Return how a Pod's spec asks for other nodes, by selector or affinity; empty if not."""
    labels = objects.labels_of(node)
    for key, wanted in objects.dig(spec, "nodeSelector", default={}).items():
        if labels.get(key) != wanted:
            return f"no label {key}={wanted} (nodeSelector)"
    required = objects.dig(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = objects.dig(required, "nodeSelectorTerms", default=[])
    if required is not None and not any(_term(term, node) for term in terms):
        return "not what its required node affinity asks for"
    return ""


def _term(term: Object, node: Object) -> bool:
    """Tell whether a term holds: all of it; one without any requirement holds for no node."""
    by_label = objects.dig(term, "matchExpressions", default=[])
    by_field = objects.dig(term, "matchFields", default=[])
    fields = {"metadata.name": objects.name(node)}
    return bool(by_label or by_field) and (
        all(_matches(e, objects.labels_of(node)) for e in by_label)
        and all(_matches(e, fields) for e in by_field)
    )


def _matches(expression: Object, labels: Mapping[str, str]) -> bool:
    """Tell whether a requirement holds; one that is not understood is taken to hold."""
    has = labels.get(str(expression.get("key")))
    values = objects.dig(expression, "values", default=[])
    match expression.get("operator"):
        case "In":
            return has in values
        case "NotIn":
            return has not in values
        case "Exists":
            return has is not None
        case "DoesNotExist":
            return has is None
        case "Gt" | "Lt" as operator:
            return _compares(has, values, greater=operator == "Gt")
    return True


def _compares(has: str | None, values: Sequence[str], *, greater: bool) -> bool:
    try:
        mine, bound = int(str(has)), int(values[0])
    except (ValueError, IndexError):
        return False
    return mine > bound if greater else mine < bound


def _kept_off(node: Object, tolerations: Iterable[Object]) -> str:
    allowed = list(tolerations)
    if objects.dig(node, "spec", "unschedulable") is True and not tolerated(_CORDONED, allowed):
        return "cordoned"
    for taint in keeps_off(node):
        if not tolerated(taint, allowed):
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"taint {taint.get('key')}{value}:{taint.get('effect')} is not tolerated"
    return ""


def keeps_off(node: Object) -> list[Object]:
    """Return the taints of a node that keep off Pods without a toleration."""
    taints = objects.dig(node, "spec", "taints", default=[])
    return [taint for taint in taints if taint.get("effect") in _KEEPS_OFF]


def tolerated(taint: Object, tolerations: Iterable[Object]) -> bool:
    """Tell whether one of a Pod's tolerations is for a taint."""
    return any(_tolerates(t, taint) for t in tolerations)


def _tolerates(toleration: Object, taint: Object) -> bool:
    """Tell whether a toleration is for a taint (ToleratesTaint in core/v1/toleration.go).

    An operator that is not understood is taken to tolerate it.
    """
    if toleration.get("effect") and toleration.get("effect") != taint.get("effect"):
        return False
    key = toleration.get("key") or ""
    if key and key != taint.get("key"):
        return False
    if toleration.get("operator") in {None, "", "Equal"}:
        return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")
    return True


def _too_small(node: Object, template: Object) -> str:
    allocatable = objects.dig(node, "status", "allocatable")
    if allocatable is None:
        return ""
    for resource, amount in sorted(demand.requests(template).items()):
        has = quantity.value(allocatable.get(resource, "0"))
        if has is not None and amount > has:
            asked = quantity.text(amount, resource)
            all_of_it = quantity.text(Fraction(has), resource)
            return f"it asks for {asked} {resource}, the whole node has {all_of_it}"
    return ""
