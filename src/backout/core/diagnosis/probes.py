"""What a container's probes ask, and how long they may take before something is wrong.

Defaults are the API's (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Probe).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object

READINESS, LIVENESS, STARTUP = "readinessProbe", "livenessProbe", "startupProbe"


class Asked(Struct, frozen=True, order=True, kw_only=True):
    """What a probe asks: a path (empty where it is no HTTP probe) on a port, a number in text.

    `tls` is True where it asks by HTTPS.
    """

    port: str
    path: str = ""
    tls: bool = False

    def __str__(self) -> str:
        where = f"{self.path} on {self.port}" if self.path else f"port {self.port}"
        return f"{where} by HTTPS" if self.tls else where


def allowed(container: Object) -> timedelta:
    """Return how long after its start a container may take to be ready, by its probes' own numbers.

    The start-up probe comes first; without a readiness probe it is ready as soon as it has started.
    """
    return _span(container.get(STARTUP)) + _span(container.get(READINESS))


def asked(container: Object, kind: str) -> Asked | None:
    """Return what a container's probe asks; None where it asks no port."""
    for how in ("httpGet", "tcpSocket", "grpc"):
        request = objects.dig(container, kind, how)
        if isinstance(request, dict) and request.get("port") is not None:
            path = str(request.get("path") or "/") if how == "httpGet" else ""
            number, tls = _number(container, request["port"]), request.get("scheme") == "HTTPS"
            return Asked(port=number, path=path, tls=tls)
    return None


def readiness_of(templates: Iterable[Object]) -> Mapping[str, frozenset[Asked]]:
    """Return what the readiness probes of these Pod templates ask, by container name."""
    found: dict[str, set[Asked]] = {}
    for template in templates:
        for container in objects.serving_containers(template):
            what = asked(container, READINESS)
            if what is not None:
                found.setdefault(str(container.get("name")), set()).add(what)
    return {name: frozenset(what) for name, what in found.items()}


def _span(probe: Object | None) -> timedelta:
    if not probe:
        return timedelta(0)
    initial = int(probe.get("initialDelaySeconds") or 0)
    period = int(probe.get("periodSeconds") or 10)
    timeout = int(probe.get("timeoutSeconds") or 1)
    failures = int(probe.get("failureThreshold") or 3)
    return timedelta(seconds=initial + failures * period + timeout)


def _number(container: Object, port: object) -> str:
    """Return a port by its number where the container names it."""
    for one in objects.dig(container, "ports", default=[]):
        if one.get("name") == port:
            return str(one.get("containerPort"))
    return str(port)
