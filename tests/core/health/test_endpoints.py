from __future__ import annotations

from typing import Any

import pytest

from backout.core.health import endpoints
from backout.core.health.endpoints import Endpoint, NotAsked, Origin
from tests.objects.services import service
from tests.objects.templates import template


def probing(path: str | None = "/ready", port: int | str = 8080, **http: Any) -> dict[str, Any]:
    request = {"port": port, **({"path": path} if path is not None else {}), **http}
    return template(readinessProbe={"httpGet": request})


def asked(made: dict[str, Any], how: str = "") -> Endpoint:
    (found,) = endpoints.asked_of(made, {}, (how,) if how else ())
    assert isinstance(found, Endpoint)
    return found


def unasked(made: dict[str, Any], how: str = "") -> NotAsked:
    (found,) = endpoints.asked_of(made, {}, (how,) if how else ())
    assert isinstance(found, NotAsked)
    return found


def test_the_readiness_probes_own_request_is_asked() -> None:
    assert asked(probing()) == Endpoint(
        port=8080, path="/ready", scheme="http", origin=Origin.PROBE
    )
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


def test_each_probed_container_is_asked_a_sidecar_too_and_the_first_is_none_of_the_rest() -> None:
    def probe(path: str, port: int) -> dict[str, Any]:
        return {"readinessProbe": {"httpGet": {"path": path, "port": port}}}

    made = template(**probe("/metrics", 9090))
    made["spec"]["containers"] += [
        {"name": "app", **probe("/ready", 8080)},
        {"name": "twin", **probe("/ready", 8080)},
        {"name": "quiet"},
    ]
    sidecar = {"name": "proxy", "restartPolicy": "Always", **probe("/up", 15021)}
    once = {"name": "init", **probe("/never", 1)}
    made["spec"]["initContainers"] = [sidecar, once]

    found = [e for e in endpoints.of_template(made) if isinstance(e, Endpoint)]
    assert [(e.port, e.path) for e in found] == [
        (9090, "/metrics"),
        (8080, "/ready"),
        (15021, "/up"),
    ]


def test_of_several_probes_those_that_are_http_are_asked() -> None:
    made = probing()
    made["spec"]["containers"].append({"name": "db", "readinessProbe": {"exec": {}}})
    found = endpoints.of_template(made)

    assert [type(e) for e in found] == [Endpoint, NotAsked]
    assert endpoints.askable(found) == (found[0],)
    # Of what the user named nothing is shown by a part.
    part = endpoints.asked_of(probing(), {}, ("/live", "nope/live"))
    assert endpoints.askable(part) == ()


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"httpHeaders": [{"name": "Host", "value": "shop.local"}]}, "headers"),
        ({"host": "10.0.0.1"}, "host"),
    ],
)
def test_a_probe_that_the_api_servers_proxy_cannot_carry_is_the_kubelets_own(
    request_: dict[str, Any], word: str
) -> None:
    found = unasked(probing(**request_))
    assert (found.probe, word in found.why) == ("HTTP", True)
    # The user's own path is asked all the same.
    assert asked(probing(**request_), "/live").path == "/live"


def test_without_a_probe_a_guess_is_made_and_called_one() -> None:
    assert asked(template()) == Endpoint(
        port=8080, path="/healthz", scheme="http", origin=Origin.NOBODYS
    )


@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_a_port_that_does_not_speak_tcp_is_not_asked(protocol: str) -> None:
    other = {"containerPort": 53, "protocol": protocol}
    assert unasked(template(ports=[other])).why
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
    assert unasked(made).why


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
        assert asked(made, how) == Endpoint(
            port=port, path=path, scheme="http", origin=Origin.NAMED
        )


def test_https_is_spoken_only_on_the_port_whose_probe_does() -> None:
    made = probing(port=8443, scheme="HTTPS")
    assert asked(made, "/live").scheme == "https"
    assert asked(made, "8443/live").scheme == "https"
    assert asked(made, "8080/live").scheme == "http"


def test_a_port_nobody_names_cannot_be_asked() -> None:
    assert unasked(template(), "admin/x").why
    assert unasked(template(ports=[]), "/x").why


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
    assert [s.origin for s in made] == [Origin.NOBODYS]
