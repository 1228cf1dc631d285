from __future__ import annotations

from typing import Any

import pytest

from backout.core.health import endpoints
from backout.core.health.endpoints import Endpoint, NotAsked
from tests.objects.services import service
from tests.objects.templates import template


def probing(path: str | None = "/ready", port: int | str = 8080, **http: Any) -> dict[str, Any]:
    request = {"port": port, **({"path": path} if path is not None else {}), **http}
    return template(readinessProbe={"httpGet": request})


def asked(made: dict[str, Any], how: str = "") -> Endpoint:
    found = endpoints.of_template(made, asked=how)
    assert isinstance(found, Endpoint)
    return found


def test_the_readiness_probes_own_request_is_asked() -> None:
    assert asked(probing()) == Endpoint(port=8080, path="/ready", scheme="http", guessed=False)
    assert asked(probing(port="http")).port == 8080
    assert asked(probing(path=None)).path == "/"
    assert asked(probing(scheme="HTTPS")).scheme == "https"


def test_a_probe_of_a_second_container_is_found_with_its_own_ports() -> None:
    made = template()
    made["spec"]["containers"].append(
        {
            "name": "side",
            "ports": [{"name": "http", "containerPort": 9090}],
            "readinessProbe": {"httpGet": {"port": "http", "path": "/side"}},
        }
    )
    assert (asked(made).port, asked(made).path) == (9090, "/side")


def test_without_a_probe_a_guess_is_made_and_called_one() -> None:
    assert asked(template()) == Endpoint(port=8080, path="/healthz", scheme="http", guessed=True)


@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_a_port_that_does_not_speak_tcp_is_not_asked(protocol: str) -> None:
    other = {"containerPort": 53, "protocol": protocol}
    assert isinstance(endpoints.of_template(template(ports=[other])), NotAsked)
    assert asked(template(ports=[other, {"containerPort": 80}])).port == 80


@pytest.mark.parametrize(
    "made",
    [
        template(readinessProbe={"exec": {"command": ["true"]}}),
        template(readinessProbe={"tcpSocket": {"port": 8080}}),
        template(readinessProbe={"grpc": {"port": 8080}}),
        template(ports=[]),
        probing(port="nope"),
        {"spec": {}},
    ],
)
def test_where_nothing_promises_http_nothing_is_asked_and_the_reason_is_said(made: Any) -> None:
    found = endpoints.of_template(made)
    assert isinstance(found, NotAsked)
    assert found.why


@pytest.mark.parametrize(
    ("how", "port", "path"),
    [
        ("/live", 8080, "/live"),
        ("/", 8080, "/"),
        ("9090/live/deep?x=1", 9090, "/live/deep?x=1"),
        ("http/live", 8080, "/live"),
        ("9090", 9090, "/"),
    ],
)
def test_what_the_user_says_is_asked_and_is_no_guess(how: str, port: int, path: str) -> None:
    for made in (probing(), template()):
        assert asked(made, how) == Endpoint(port=port, path=path, scheme="http", guessed=False)


def test_https_is_spoken_only_on_the_port_whose_probe_does() -> None:
    made = probing(port=8443, scheme="HTTPS")
    assert asked(made, "/live").scheme == "https"
    assert asked(made, "8443/live").scheme == "https"
    assert asked(made, "8080/live").scheme == "http"


def test_a_port_nobody_names_cannot_be_asked() -> None:
    assert isinstance(endpoints.of_template(template(), asked="admin/x"), NotAsked)
    assert isinstance(endpoints.of_template(template(ports=[]), asked="/x"), NotAsked)


def found(*services: dict[str, Any]) -> list[str]:
    endpoint = asked(probing())
    return [str(s) for s in endpoints.of_services(services, probing(), endpoint)]


def test_a_service_is_asked_on_the_port_that_leads_to_the_probes() -> None:
    metrics = {"name": "metrics", "port": 9100, "targetPort": 9100}
    assert found(service()) == ["service web:80/ready"]
    assert found(service("web", metrics, {"name": "main", "port": 80, "targetPort": "http"})) == [
        "service web:main/ready"
    ]
    assert found(service("web", {"port": 8080}, name="same")) == ["service same:8080/ready"]


def test_every_service_that_selects_the_pods_is_asked() -> None:
    headless = service(name="headless", clusterIP="None")
    assert len(found(service(name="a"), service(name="b"), headless)) == 3


@pytest.mark.parametrize(
    "other",
    [
        service(selector={"app": "api"}),
        service(selector={"app": "web", "track": "canary"}),
        service(selector={}),
        service(selector=None),
        service(type="ExternalName"),
        service("web", {"port": 9100}),
        service("web", {"port": 8080, "protocol": "UDP"}),
        service("web", {"port": 80, "targetPort": "nope"}),
        {"metadata": {"name": "bare"}, "spec": {}},
    ],
)
def test_services_that_do_not_lead_to_the_pods_port_are_left_out(other: dict[str, Any]) -> None:
    assert found(other) == []


def test_a_port_that_a_sidecar_names_is_asked_and_leads_there() -> None:
    made = probing()
    ports = [{"containerPort": 8443, "name": "https"}]
    sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": ports}
    made["spec"]["initContainers"] = [sidecar]
    endpoint = asked(made, "https/live")
    behind = service("web", {"port": 443, "targetPort": "https"})

    assert endpoint.port == 8443
    assert [str(s) for s in endpoints.of_services([behind], made, endpoint)] == [
        "service web:443/live"
    ]


def test_a_guess_stays_a_guess_at_the_service() -> None:
    made = endpoints.of_services([service()], template(), asked(template()))
    assert [s.guessed for s in made] == [True]
