"""Which nodes may take a Pod of a template: cordons, its selector, its affinity, taints.

No room is counted. Source: component-helpers scheduling/corev1 (nodeaffinity, helpers.go).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from backout.core import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object

_REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
_KEEPS_OUT = {"NoSchedule", "NoExecute"}


def eligible(nodes: Iterable[Object], template: Object) -> list[Object]:
    """Return the nodes that the scheduler could choose for a Pod of this template."""
    spec = objects.dig(template, "spec", default={})
    return [node for node in nodes if is_schedulable(node) and _takes(node, spec)]


def is_schedulable(node: Object) -> bool:
    """Tell whether a node is not cordoned."""
    return objects.dig(node, "spec", "unschedulable") is not True


def platform(node: Object) -> str:
    """Return `os/architecture` of a node; empty where it does not tell."""
    told = objects.dig(node, "status", "nodeInfo", default={})
    words = [str(told.get(key) or "") for key in ("operatingSystem", "architecture")]
    return "/".join(words) if all(words) else ""


def _takes(node: Object, spec: Object) -> bool:
    labels = objects.labels_of(node)
    wanted = objects.dig(spec, "nodeSelector", default={})
    terms = objects.dig(spec, *_REQUIRED, "nodeSelectorTerms")
    return (
        all(labels.get(key) == value for key, value in wanted.items())
        and (terms is None or any(_matches(term, node) for term in terms))
        and all(
            _tolerates(taint, spec) for taint in objects.dig(node, "spec", "taints", default=[])
        )
    )


def _matches(term: Object, node: Object) -> bool:
    """Tell whether a node matches one term; an empty one matches nothing."""
    of_labels = objects.dig(term, "matchExpressions", default=[])
    of_fields = objects.dig(term, "matchFields", default=[])
    labels, fields = objects.labels_of(node), {"metadata.name": objects.name(node)}
    told = [_holds(e, labels) for e in of_labels] + [_holds(e, fields) for e in of_fields]
    return bool(told) and all(told)


def _holds(expression: Object, present: Mapping[str, str]) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return present.get(key) in values
        case "NotIn":
            return present.get(key) not in values
        case "Exists":
            return key in present
        case "DoesNotExist":
            return key not in present
        case "Gt" | "Lt" as operator:
            with suppress(ValueError, IndexError, KeyError):
                left, right = int(present[key]), int(values[0])
                return left > right if operator == "Gt" else left < right
    return False


def _tolerates(taint: Object, spec: Object) -> bool:
    """Mirror `ToleratesTaint`; a condition that passes by itself keeps nobody out."""
    key = str(taint.get("key", ""))
    if taint.get("effect") not in _KEEPS_OUT or key.startswith("node.kubernetes.io/"):
        return True
    return any(
        one.get("effect") in {None, "", taint.get("effect")}
        and (
            (one.get("operator") == "Exists" and one.get("key") in {None, "", key})
            or (
                one.get("operator") in {None, "", "Equal"}
                and one.get("key") == key
                and (one.get("value") or "") == (taint.get("value") or "")
            )
        )
        for one in objects.dig(spec, "tolerations", default=[])
    )
