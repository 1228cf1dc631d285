"""How many more Pods of a template a namespace's ResourceQuotas have room for.

Source: kubernetes pkg/quota/v1/evaluator/core/pods.go (what a Pod is charged, and its scopes).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects, quantity
from backout.core.room import demand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

_COUNTS = {"pods", "count/pods"}
_BARE = ("cpu", "memory", "ephemeral-storage", "hugepages-")


class Shortage(Struct, frozen=True, kw_only=True):
    """A quota with too little room: for each of the `Pods` wanted one needs `each` of what is left.

    `resource` is the quota's key; `fits` how many Pods there is room for.
    """

    quota: str
    resource: str
    each: Fraction
    left: Fraction
    fits: int

    def words(self, wanted: int) -> str:
        """Return in words what is left and what so many Pods need."""
        plural = "" if wanted == 1 else "s"
        if self.resource in _COUNTS:
            room = "1 more Pod" if self.fits == 1 else f"{self.fits or 'no'} more Pods"
            return (
                f"ResourceQuota {self.quota} ({self.resource}) has room for {room}, and the "
                f"rollout first needs {wanted}"
            )
        left = quantity.text(max(self.left, Fraction(0)), self.resource)
        return (
            f"ResourceQuota {self.quota} has {left} of {self.resource} left, and the rollout first "
            f"needs {quantity.text(self.each * wanted, self.resource)} for {wanted} more "
            f"Pod{plural}"
        )


def shortages(quotas: Iterable[Object], template: Object, wanted: int) -> tuple[Shortage, ...]:
    """Return where there is room for fewer than `wanted` Pods, the least room first.

    A quota whose scope does not hold for the Pods, or cannot be judged, is passed over; so is one
    that has not been counted yet.
    """
    found = [
        short
        for quota in quotas
        if in_scope(quota, template)
        for short in _of(quota, template)
        if short.fits < wanted
    ]
    return tuple(sorted(found, key=lambda s: (s.fits, s.quota, s.resource)))


def in_scope(quota: Object, template: Object) -> bool:
    """Tell whether a quota counts Pods of a template, for certain."""
    scopes = objects.dig(quota, "spec", "scopes", default=[])
    expressions = objects.dig(quota, "spec", "scopeSelector", "matchExpressions", default=[])
    wanted = [{"scopeName": s, "operator": "Exists"} for s in scopes]
    return all(_holds(e, template) for e in [*wanted, *expressions])


def _holds(expression: Object, template: Object) -> bool:
    """Tell whether one scope holds; of what admission may still fill in nothing is certain."""
    spec = objects.dig(template, "spec", default={})
    scope, operator = expression.get("scopeName"), expression.get("operator")
    if scope == "PriorityClass":
        name = str(spec.get("priorityClassName") or "")
        values = expression.get("values") or []
        answers = {"Exists": True, "In": name in values, "NotIn": name not in values}
        return bool(name) and answers.get(str(operator), False)
    best_effort = demand.is_best_effort(template)
    ends = spec.get("activeDeadlineSeconds") is not None
    told = {
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "Terminating": ends,
        "NotTerminating": not ends,
    }
    return told.get(str(scope), False) and operator == "Exists"


def _of(quota: Object, template: Object) -> Iterable[Shortage]:
    used = objects.dig(quota, "status", "used", default={})
    for resource, text in objects.dig(quota, "status", "hard", default={}).items():
        hard, taken = quantity.value(text), quantity.value(used.get(resource, ""))
        each = _charged(str(resource), template)
        if hard is None or taken is None or each <= 0:
            continue
        fits = max(0, (hard - taken) // each)
        yield Shortage(
            quota=objects.name(quota),
            resource=str(resource),
            each=each,
            left=hard - taken,
            fits=int(fits),
        )


def _charged(resource: str, template: Object) -> Fraction:
    """Return what a quota charges one Pod for a resource; 0 where it does not count Pods."""
    if resource in _COUNTS:
        return Fraction(1)
    side, _, name = resource.partition(".")
    if side == "limits" and name:
        return demand.limits(template).get(name, Fraction(0))
    if side == "requests" and name:
        return demand.requests(template).get(name, Fraction(0))
    if resource.startswith(_BARE):
        return demand.requests(template).get(resource, Fraction(0))
    return Fraction(0)
