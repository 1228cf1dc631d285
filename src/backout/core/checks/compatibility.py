"""PF7xx: does the target fit what is around it: its probes, and the Services in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.diagnosis import probes
from backout.core.history import revisions
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.model import Object

_KINDS = (probes.STARTUP, probes.READINESS, probes.LIVENESS)


def probes_differ(preflight: Preflight) -> Iterator[Fact]:
    """The target's probes ask another path, port or scheme than those of the current revision."""
    now = revisions.current(preflight.revisions)
    if now is None:
        return
    number = preflight.destination.number
    theirs = {str(c.get("name")): c for c in objects.serving_containers(now.template)}
    for container in objects.serving_containers(preflight.destination.template):
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
    """A Service sends to a port that the target has no name for, or no longer declares.

    A name must be declared (FindPort in k8s.io/endpointslice); a number need not be, so that it
    tells something only where the current revision declares it and the target declares others.
    """
    template = preflight.destination.template
    names, numbers = _declared(template)
    _, current = _declared(preflight.snapshot.workload["spec"]["template"])
    for service in _selecting(preflight, template):
        for port in objects.dig(service, "spec", "ports", default=[]):
            target, protocol = port.get("targetPort"), port.get("protocol", "TCP")
            wanted = (target, protocol)
            is_named = isinstance(target, str)
            is_gone = wanted in current and bool(numbers) and wanted not in numbers
            if wanted not in names if is_named else is_gone:
                yield Fact(
                    message=f"Service {objects.name(service)} sends to port {_shown(*wanted)}, "
                    f"which revision {preflight.destination.number} does not "
                    f"{'name' if is_named else 'declare'}",
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
        is_external = objects.dig(service, "spec", "type") == "ExternalName"
        if objects.matches_labels(selector, labels) and not is_external:
            yield service


def _declared(template: Object) -> tuple[set[tuple[str, str]], set[tuple[int, str]]]:
    """Return the names and the numbers of a template's ports, each with its protocol."""
    ports = [
        (port, port.get("protocol", "TCP"))
        for container in objects.serving_containers(template)
        for port in objects.dig(container, "ports", default=[])
    ]
    names = {(str(port["name"]), protocol) for port, protocol in ports if port.get("name")}
    return names, {(int(port["containerPort"]), protocol) for port, protocol in ports}


def _shown(target: str | int, protocol: str) -> str:
    return str(target) if protocol == "TCP" else f"{target}/{protocol}"


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
        title="a Service sends to a port that the target does not declare",
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
