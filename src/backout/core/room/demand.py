"""What one Pod of a template asks for, as the scheduler and a quota count it.

Source: k8s.io/component-helpers/resource/helpers.go (PodRequests, PodLimits) and, for resources of
the whole Pod, kubernetes pkg/apis/core/v1/defaults.go. What admission adds (a LimitRange's
defaults, a RuntimeClass's overhead) is not in a template: core/room/admitted.py adds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from backout.core.kubernetes import objects, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

Amounts: TypeAlias = Mapping[str, Fraction]
"""Resource names to amounts."""


def requests(template: Object) -> Amounts:
    """Return the requests of a Pod; a limit stands for a request that is not set."""
    return _of_pod(template, "requests")


def limits(template: Object) -> Amounts:
    """Return the limits of a Pod."""
    return _of_pod(template, "limits")


def of_container(container: Object) -> Amounts:
    """Return the requests of one container."""
    return _asked(container, "requests")


def is_best_effort(template: Object) -> bool:
    """Tell whether nothing asks for CPU or memory (the quality of service class BestEffort)."""
    asked = {*_of_pod(template, "requests"), *_of_pod(template, "limits")}
    return not asked & {"cpu", "memory"}


def _of_pod(template: Object, side: str) -> Amounts:
    spec = objects.dig(template, "spec", default={})
    total = _sum(_asked(c, side) for c in objects.dig(spec, "containers", default=[]))
    peak: Amounts = {}
    sidecars: Amounts = {}
    for container in objects.dig(spec, "initContainers", default=[]):
        asked = _sum([sidecars, _asked(container, side)])
        if container.get("restartPolicy") == "Always":
            sidecars = asked
        peak = _greater(peak, asked)
    most = _greater(_sum([total, sidecars]), peak)
    own = _amounts(objects.dig(spec, "resources", side, default={}))
    overhead = _amounts(objects.dig(spec, "overhead", default={}))
    if side == "requests":
        unset = _amounts(objects.dig(spec, "resources", "limits", default={}))
        return _sum([{**unset, **most, **own}, overhead])
    return {n: a + (overhead.get(n, 0) if a else 0) for n, a in {**most, **own}.items()}


def _asked(one: Object, side: str) -> Amounts:
    asked = _amounts(objects.dig(one, "resources", side, default={}))
    if side == "requests":
        return {**_amounts(objects.dig(one, "resources", "limits", default={})), **asked}
    return asked


def _amounts(raw: Mapping[str, str]) -> Amounts:
    read = {str(name): quantity.value(amount) for name, amount in raw.items()}
    return {name: amount for name, amount in read.items() if amount is not None}


def _sum(many: Iterable[Amounts]) -> Amounts:
    total: dict[str, Fraction] = {}
    for one in many:
        for name, amount in one.items():
            total[name] = total.get(name, Fraction(0)) + amount
    return total


def _greater(one: Amounts, other: Amounts) -> Amounts:
    zero = Fraction(0)
    return {n: max(one.get(n, zero), other.get(n, zero)) for n in {**one, **other}}
