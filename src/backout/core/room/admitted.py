"""What a Pod of a template asks for once admission has filled it in.

Source: kubernetes pkg/apis/core/v1/defaults.go (a limit stands for a request that is not set, in a
LimitRange, too), plugin/pkg/admission/limitranger, plugin/pkg/admission/runtimeclass.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from backout.core.kubernetes import objects, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object


def admitted(
    template: Object, limit_ranges: Iterable[Object], overhead: Mapping[str, str]
) -> Object:
    """Return the template as its Pods will be: defaults of LimitRanges, overhead of its class.

    Of several LimitRanges any may come first: the smallest default is what is certain.
    """
    ranges = list(limit_ranges)
    limits, requests = (_defaults(ranges, key) for key in ("default", "defaultRequest"))
    spec = dict(objects.dig(template, "spec", default={}))
    for key in ("containers", "initContainers"):
        if spec.get(key):
            spec[key] = [_filled(one, limits, requests) for one in spec[key]]
    if overhead:
        spec["overhead"] = dict(overhead)
    return {**template, "spec": spec}


def _defaults(limit_ranges: Iterable[Object], key: str) -> Mapping[str, str]:
    """Return what a container gets of each resource."""
    least: dict[str, str] = {}
    for one in limit_ranges:
        for item in objects.dig(one, "spec", "limits", default=[]):
            if objects.dig(item, "type") == "Container":
                for name, amount in objects.dig(item, key, default={}).items():
                    least[name] = min(least.get(name, amount), amount, key=_value)
    return least


def _value(amount: str) -> Fraction:
    return quantity.value(amount) or Fraction(0)


def _filled(
    container: Object, limits: Mapping[str, str], requests: Mapping[str, str]
) -> dict[str, Any]:
    own = objects.dig(container, "resources", default={})
    own_limits = objects.dig(own, "limits", default={})
    own_requests = objects.dig(own, "requests", default={})
    filled = {
        **own,
        "limits": {**limits, **own_limits},
        "requests": {**requests, **own_limits, **own_requests},
    }
    return {**container, "resources": filled}
