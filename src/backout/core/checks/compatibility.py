"""PF7xx: does the target fit what is around it: its probes, and the Services in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core import objects, probes, revisions
from backout.core.checks.check import Check, Fact
from backout.core.model import Severity
from backout.core.snapshot import Need, Preflight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.model import Object

_KINDS = (probes.STARTUP, probes.READINESS, probes.LIVENESS)


def probes_differ(preflight: Preflight) -> Iterator[Fact]:
    """The target's probes ask something else than those of the current revision."""
    now = revisions.current(preflight.revisions)
    if now is None:
        return
    number = preflight.destination.number
    theirs = {str(c.get("name")): c for c in _containers(now.template)}
    for container in _containers(preflight.destination.template):
        other = theirs.get(str(container.get("name")), {})
        for kind in _KINDS:
            mine, its = probes.asked(container, kind), probes.asked(other, kind)
            if mine is not None and its is not None and mine != its:
                yield Fact(
                    message=f"revision {number}'s {kind} of container {container.get('name')} asks "
                    f"{mine}, revision {now.number}'s asks {its}",
                    remedy=f"see that revision {number} answers there",
                )


def port_is_not_served(preflight: Preflight) -> Iterator[Fact]:
    """A Service sends to a port by a name that the target does not have."""
    template = preflight.destination.template
    names = {
        str(p["name"])
        for c in _containers(template)
        for p in objects.dig(c, "ports", default=[])
        if p.get("name")
    }
    for service in _selecting(preflight, template):
        for port in objects.dig(service, "spec", "ports", default=[]):
            target = port.get("targetPort")
            if isinstance(target, str) and not target.isdigit() and target not in names:
                yield Fact(
                    message=f"Service {objects.name(service)} sends to port {target}, which "
                    f"revision {preflight.destination.number} does not name",
                    remedy="correct the Service's targetPort, or go to another revision",
                )


def service_does_not_select(preflight: Preflight) -> Iterator[Fact]:
    """A Service selects Pods of the current revision, and would select none of the target."""
    now = preflight.snapshot.workload["spec"]["template"]
    labels = objects.labels_of(preflight.destination.template)
    for service in _selecting(preflight, now):
        selector = objects.dig(service, "spec", "selector", default={})
        if not objects.matches_labels(selector, labels):
            wanted = ", ".join(f"{k}={v}" for k, v in sorted(selector.items()))
            yield Fact(
                message=f"Service {objects.name(service)} selects {wanted}: Pods of revision "
                f"{preflight.destination.number} are not among them",
                remedy="correct the Service's selector, or go to another revision",
            )


def _selecting(preflight: Preflight, template: Object) -> Iterator[Object]:
    labels = objects.labels_of(template)
    for service in preflight.snapshot.services:
        selector = objects.dig(service, "spec", "selector", default={})
        if objects.matches_labels(selector, labels):
            yield service


def _containers(template: Object) -> list[Object]:
    found: list[Object] = objects.dig(template, "spec", "containers", default=[])
    return found


_SERVICES = frozenset({Need.SERVICES})

CHECKS = (
    Check(
        id="PF701",
        severity=Severity.WARN,
        title="the target's probes differ from the current ones",
        find=probes_differ,
    ),
    Check(
        id="PF702",
        severity=Severity.WARN,
        title="a Service sends to a port that the target does not name",
        find=port_is_not_served,
        needs=_SERVICES,
    ),
    Check(
        id="PF703",
        severity=Severity.WARN,
        title="a Service does not select the target's Pods",
        find=service_does_not_select,
        needs=_SERVICES,
    ),
)
