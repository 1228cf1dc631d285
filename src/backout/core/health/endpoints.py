"""Where to ask for health: path, port and scheme from the template or the user; which Services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from backout.core.kubernetes import objects
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.model import Object

GUESSED_PATH = "/healthz"
ANNOTATION = "backout.dev/health"
"""On the workload: `/path` or `port/path`, what its Pods are asked where `--health` says none."""
_PATH = re.compile(r"([A-Za-z0-9-]{1,15})?/(?!/)\S*")
_PROBES = {"grpc": "gRPC", "tcpSocket": "TCP", "exec": "exec"}
Scheme = Literal["http", "https"]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What to ask of a Pod: `port` as a number, `scheme` http or https.

    `guessed` is True where nobody configured the path, so that a 404 proves nothing.
    """

    port: int
    path: str
    scheme: Scheme
    guessed: bool


@dataclass(frozen=True, kw_only=True)
class NotAsked:
    """Why no HTTP request can tell anything about this template's Pods.

    `probe` is how the kubelet itself asks them (gRPC, TCP, exec); empty where it does not.
    """

    why: str
    probe: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceEndpoint:
    """What to ask of a Service: `port` is its name where it has one, else its number."""

    service: str
    port: str
    path: str
    scheme: Scheme
    guessed: bool

    def __str__(self) -> str:
        return f"service {self.service}:{self.port}{self.path}"


def of_template(template: Object, *, asked: str = "") -> Endpoint | NotAsked:
    """Return where Pods of this template are asked for their health.

    `asked` is the user's `/path` or `port/path`; else the readiness probe's own request; else
    `/healthz` on the first port where the template names no probe. A probe that is not HTTP means
    the Pods do not promise to speak it: the kubelet's own answer is the evidence then.
    """
    main = objects.dig(template, "spec", "containers", default=[])
    probed = next((c for c in main if objects.dig(c, "readinessProbe", "httpGet")), None)
    if asked:
        port, _, path = asked.partition("/")
        named = objects.serving_containers(template)
        number = _number(port, named) if port else _default_port(main, probed)
        if number is None:
            return NotAsked(why="the template names no port; say one: --health PORT/PATH")
        is_probed = probed is not None and number == _default_port(main, probed)
        scheme = _scheme(probed["readinessProbe"]["httpGet"]) if probed and is_probed else "http"
        return Endpoint(port=number, path=f"/{path}", scheme=scheme, guessed=False)
    if probed:
        return _of_probe(probed)
    if any("readinessProbe" in c for c in main):
        return NotAsked(
            why="its readiness probe is not HTTP; the kubelet's answer is the evidence",
            probe=_probe_of(main),
        )
    number = _default_port(main, None)
    if number is None:
        return NotAsked(why="the template names neither a readiness probe nor a port")
    return Endpoint(port=number, path=GUESSED_PATH, scheme="http", guessed=True)


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
    wanted = paths or (annotated(workload),)
    return tuple(of_template(template, asked=path) for path in wanted)


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
                    guessed=endpoint.guessed,
                )
            )
    return tuple(found)


def _probe_of(containers: Iterable[Object]) -> str:
    probes = [objects.dig(c, "readinessProbe", default={}) for c in containers]
    return next((word for p in probes for key, word in _PROBES.items() if key in p), "")


def _of_probe(container: Object) -> Endpoint | NotAsked:
    request = container["readinessProbe"]["httpGet"]
    number = _number(str(request.get("port", "")), [container])
    if number is None:
        return NotAsked(
            why=f"its readiness probe names port {request.get('port')!r}, which is none"
        )
    return Endpoint(
        port=number,
        path=str(request.get("path") or "/"),
        scheme=_scheme(request),
        guessed=False,
    )


def _scheme(request: Object) -> Scheme:
    return "https" if request.get("scheme") == "HTTPS" else "http"


def _default_port(containers: list[Object], probed: Object | None) -> int | None:
    if probed is not None:
        return _number(str(probed["readinessProbe"]["httpGet"].get("port", "")), [probed])
    ports = [
        p for c in containers for p in c.get("ports") or [] if p.get("protocol", "TCP") == "TCP"
    ]
    return int(ports[0]["containerPort"]) if ports else None


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
