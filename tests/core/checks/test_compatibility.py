"""PF7xx: probes by path, port and scheme; a Service's port as endpoints are made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.checks.running import found_by
from tests.core.values_made import preflight, shaped
from tests.objects.services import service


def container(*ports: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "app", "image": "reg.example/app:v", "ports": list(ports), **fields}


def port(number: int, name: str = "", protocol: str = "TCP") -> dict[str, Any]:
    named = {"name": name} if name else {}
    return {"containerPort": number, "protocol": protocol, **named}


def asking(scheme: str, **fields: Any) -> dict[str, Any]:
    request = {"path": "/live", "port": "http", "scheme": scheme}
    return container(port(8080, "http"), livenessProbe={"httpGet": request}, **fields)


def test_a_probe_that_asks_by_another_scheme_is_told_with_it() -> None:
    plain, tls = asking("HTTP"), asking("HTTPS")
    (found,) = found_by("PF701", shaped({"containers": [plain]}, {"containers": [tls]}))

    assert found.message == (
        "revision 2's livenessProbe of container app asks /live on 8080 by HTTPS, "
        "revision 3's asks /live on 8080"
    )
    assert found_by("PF701", shaped({"containers": [tls]}, {"containers": [tls]})) == ()


def test_a_sidecars_probe_is_compared_and_a_plain_init_containers_is_not() -> None:
    def beside(scheme: str, **fields: Any) -> dict[str, Any]:
        return {"containers": [container()], "initContainers": [asking(scheme, **fields)]}

    always = {"name": "proxy", "restartPolicy": "Always"}
    (found,) = found_by("PF701", shaped(beside("HTTP", **always), beside("HTTPS", **always)))

    assert "container proxy" in found.message
    assert (
        found_by("PF701", shaped(beside("HTTP", name="init"), beside("HTTPS", name="init"))) == ()
    )


SIDECAR = {"name": "proxy", "image": "reg.example/p:v", "restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("now", "then", "sent_to", "told"),
    [
        ([port(80, "http")], [port(80, "http")], {"targetPort": "http"}, ""),
        ([port(80, "http")], [port(80, "web")], {"targetPort": "http"}, "http, which revision 2"),
        (
            [port(53, "dns")],
            [port(53, "dns")],
            {"targetPort": "dns", "protocol": "UDP"},
            "dns/UDP, which revision 2 does not name",
        ),
        (
            [port(9090)],
            [port(8080)],
            {"targetPort": 9090},
            "9090, which revision 2 does not declare",
        ),
        ([port(9090)], [port(9090)], {"targetPort": 9090}, ""),
        ([port(9090)], [], {"targetPort": 9090}, ""),
        ([port(8080)], [port(8080)], {"targetPort": 9090}, ""),
    ],
    ids=[
        "named by both",
        "renamed",
        "of another protocol",
        "another number is declared",
        "the same number",
        "a target that declares nothing tells nothing",
        "a number that neither declares",
    ],
)
def test_a_services_port_is_looked_for_as_endpoints_are_made(
    now: list[Any], then: list[Any], sent_to: dict[str, Any], told: str
) -> None:
    behind = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [sent_to]}}
    specs = ({"containers": [container(*ports)]} for ports in (now, then))
    found = found_by("PF702", shaped(*specs, services=(behind,)))

    assert bool(found) == bool(told)
    assert all(told in fact.message for fact in found)


def test_a_sidecars_named_port_is_served_and_a_plain_init_containers_is_not() -> None:
    def beside(**fields: Any) -> dict[str, Any]:
        ports = {"ports": [port(8443, "https")]}
        return {"containers": [container()], "initContainers": [{**SIDECAR, **ports, **fields}]}

    services = (service(port="https"),)
    assert found_by("PF702", shaped(beside(), beside(), services=services)) == ()
    assert found_by("PF702", shaped(beside(), beside(restartPolicy=None), services=services))


def test_an_external_name_sends_to_no_pod() -> None:
    outside = service(port="grpc")
    outside["spec"]["type"] = "ExternalName"

    assert found_by("PF702", preflight(services=(outside,))) == ()
