"""Where to ask for health: path, port and scheme from the template or the user; which Services.

What the user named may fail. What backout guessed, the path of a probe or of none, is evidence: the
application may answer the API server's proxy otherwise than the kubelet.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.model import Object

GUESSED_PATH = "/healthz"
ANNOTATION = "backout.dev/health"
"""On the workload: `/path` or `port/path`, what its Pods are asked where `--health` says none."""
_PATH = re.compile(r"([A-Za-z0-9-]{1,15})?/(?!/)\S*")
_PROBES = {"grpc": "gRPC", "tcpSocket": "TCP", "exec": "exec", "httpGet": "HTTP"}
Scheme = Literal["http", "https"]


class Origin(StrEnum):
    """Whose word it is that this is asked.

    NAMED: the user's. PROBE: the readiness probe's, asked by another way than the kubelet's.
    NOBODYS: no probe names a path.
    """

    NAMED = "named"
    PROBE = "probe"
    NOBODYS = "nobody's"


class Endpoint(Struct, frozen=True, kw_only=True):
    """What to ask of a Pod: `port` as a number, `scheme` http or https."""

    port: int
    path: str
    scheme: Scheme
    origin: Origin


class NotAsked(Struct, frozen=True, kw_only=True):
    """Why no HTTP request can tell anything about this template's Pods.

    `probe` is how the kubelet itself asks them (gRPC, TCP, exec, HTTP with headers of its own);
    empty where it does not.
    """

    why: str
    probe: str = ""


class ServiceEndpoint(Struct, frozen=True, kw_only=True):
    """What to ask of a Service: `port` is its name where it has one, else its number."""

    service: str
    port: str
    path: str
    scheme: Scheme
    origin: Origin

    def __str__(self) -> str:
        return f"service {self.service}:{self.port}{self.path}"


def of_template(template: Object) -> tuple[Endpoint | NotAsked, ...]:
    """Return where Pods of this template are asked where nobody says it.

    The request of each readiness probe, of all containers; `/healthz` on the first port where there
    is no probe. A probe that is not HTTP means the Pods do not promise to speak it, and one with
    headers or a host cannot be sent through the API server: the kubelet's own answer is the
    evidence then.
    """
    probed = [c for c in objects.serving_containers(template) if c.get("readinessProbe")]
    if probed:
        return tuple(dict.fromkeys(_of_probe(c) for c in probed))
    number = _first_port(template)
    if number is None:
        return (NotAsked(why="the template names neither a readiness probe nor a port"),)
    return (Endpoint(port=number, path=GUESSED_PATH, scheme="http", origin=Origin.NOBODYS),)


def named(template: Object, text: str) -> Endpoint | NotAsked:
    """Return where Pods of this template are asked at the user's `/path` or `port/path`.

    Without a port, it is that of the first HTTP readiness probe, else the first one.
    """
    port, _, path = text.partition("/")
    containers = objects.serving_containers(template)
    probe = next((c for c in containers if objects.dig(c, "readinessProbe", "httpGet")), None)
    request = probe["readinessProbe"]["httpGet"] if probe is not None else {}
    own = _number(str(request.get("port", "")), [probe]) if probe is not None else None
    number = _number(port, containers) if port else own or _first_port(template)
    if number is None:
        return NotAsked(why="the template names no port; say one: --health PORT/PATH")
    scheme = _scheme(request) if number == own else "http"
    return Endpoint(port=number, path=f"/{path}", scheme=scheme, origin=Origin.NAMED)


def annotated(workload: Object) -> str:
    """Return what the workload's own annotation says to ask; empty where it is none, or a URL."""
    text = objects.annotations_of(workload).get(ANNOTATION, "")
    return text if _PATH.fullmatch(text) else ""


def asked_of(
    template: Object, workload: Object, paths: Sequence[str]
) -> tuple[Endpoint | NotAsked, ...]:
    """Return where Pods of this template are asked: each of `paths`, which are the user's.

    Without any, what the workload's annotation says, else the template itself.
    """
    wanted = paths or tuple(filter(None, (annotated(workload),)))
    return tuple(named(template, path) for path in wanted) or of_template(template)


def askable(found: Sequence[Endpoint | NotAsked]) -> tuple[Endpoint, ...]:
    """Return what Pods are asked; of what the user named nothing where a part cannot be asked."""
    asked = tuple(one for one in found if isinstance(one, Endpoint))
    is_whole = len(asked) == len(found) or all(e.origin is not Origin.NAMED for e in asked)
    return asked if is_whole else ()


def of_services(
    services: Iterable[Object], template: Object, endpoint: Endpoint
) -> tuple[ServiceEndpoint, ...]:
    """Return how each Service that selects these Pods is asked, on the port that leads to theirs.

    Services that do not lead to that port (a metrics port, an ExternalName) are left out.
    """
    labels = objects.labels_of(template)
    found = []
    for service in services:
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            continue
        if not objects.matches_labels(spec.get("selector") or {}, labels):
            continue
        port = next((p for p in spec.get("ports") or [] if _leads_to(p, endpoint, template)), None)
        if port is not None:
            found.append(
                ServiceEndpoint(
                    service=objects.name(service),
                    port=str(port.get("name") or port["port"]),
                    path=endpoint.path,
                    scheme=endpoint.scheme,
                    origin=endpoint.origin,
                )
            )
    return tuple(found)


def _of_probe(container: Object) -> Endpoint | NotAsked:
    probe = container["readinessProbe"]
    request = probe.get("httpGet")
    if request is None:
        kind = next((word for key, word in _PROBES.items() if key in probe), "")
        return NotAsked(
            why="its readiness probe is not HTTP; the kubelet's answer is the evidence", probe=kind
        )
    if request.get("httpHeaders") or request.get("host"):
        what = "headers of its own" if request.get("httpHeaders") else "a host of its own"
        return NotAsked(
            why=f"its readiness probe asks with {what}, which the API server's proxy does not "
            "carry; the kubelet's answer is the evidence",
            probe=_PROBES["httpGet"],
        )
    number = _number(str(request.get("port", "")), [container])
    if number is None:
        return NotAsked(
            why=f"its readiness probe names port {request.get('port')!r}, which is none"
        )
    path = str(request.get("path") or "/")
    return Endpoint(port=number, path=path, scheme=_scheme(request), origin=Origin.PROBE)


def _scheme(request: Object) -> Scheme:
    return "https" if request.get("scheme") == "HTTPS" else "http"


def _first_port(template: Object) -> int | None:
    """Return the first TCP port of the containers; a sidecar's is not the application's."""
    containers = objects.dig(template, "spec", "containers", default=[])
    ports = [p for c in containers for p in c.get("ports") or []]
    tcp = (p for p in ports if p.get("protocol", "TCP") == "TCP")
    return next((int(p["containerPort"]) for p in tcp), None)


def _number(port: str, containers: list[Object]) -> int | None:
    if port.isascii() and port.isdigit():
        return int(port)
    named = [p for c in containers for p in c.get("ports") or [] if p.get("name") == port]
    return int(named[0]["containerPort"]) if named else None


def _leads_to(port: Object, endpoint: Endpoint, template: Object) -> bool:
    if port.get("protocol", "TCP") != "TCP":
        return False
    named = objects.serving_containers(template)
    number = _number(str(port.get("targetPort") or port["port"]), named)
    return number == endpoint.port
