from __future__ import annotations

import pytest

from backout.core.errors import ConfigError
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.kube import paths


def web(name: str) -> Target:
    return Target(kind=DEPLOYMENT, namespace="ns", name=name)


def test_the_paths_are_the_apis() -> None:
    own, stored = DEPLOYMENT.resource, DEPLOYMENT.stored
    assert paths.workload(web("web")) == "/apis/apps/v1/namespaces/ns/deployments/web"
    assert paths.listed(own, "ns") == "/apis/apps/v1/namespaces/ns/deployments"
    assert paths.listed_everywhere(own) == "/apis/apps/v1/deployments"
    assert paths.listed(stored, "ns") == "/apis/apps/v1/namespaces/ns/replicasets"
    assert paths.pods("ns") == "/api/v1/namespaces/ns/pods"
    assert paths.pod("ns", "a") == "/api/v1/namespaces/ns/pods/a"
    assert paths.events("ns") == "/api/v1/namespaces/ns/events"
    assert paths.services("ns") == "/api/v1/namespaces/ns/services"
    assert paths.lease("ns", "a") == "/apis/coordination.k8s.io/v1/namespaces/ns/leases/a"
    assert paths.leases("ns") == "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
    assert paths.self_subject_access_reviews().endswith("/v1/selfsubjectaccessreviews")
    assert paths.version() == "/version"


def test_a_proxy_path_names_scheme_port_and_the_applications_path() -> None:
    assert paths.pod_proxy("ns", "a", 8080, "/healthz") == (
        "/api/v1/namespaces/ns/pods/a:8080/proxy/healthz"
    )
    assert paths.service_proxy("ns", "a", "web", "x/y%20z?q=1/2&r", "https") == (
        "/api/v1/namespaces/ns/services/https:a:web/proxy/x/y%20z?q=1/2&r"
    )
    assert paths.pod_proxy("ns", "a", 80, "/") == "/api/v1/namespaces/ns/pods/a:80/proxy/"
    assert paths.pod_proxy("ns", "a", 80, "//x").endswith("/proxy//x")


@pytest.mark.parametrize("name", ["system:node", "a b", "a?b", "ä", "a#b"])
def test_a_name_is_one_encoded_segment(name: str) -> None:
    path = paths.pod("ns", name)

    assert path.count("/") == 6
    assert not set(path) & set(" ?#ä")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets", "%2e%2e", "a%2fb"])
def test_a_name_cannot_leave_its_place(name: str) -> None:
    with pytest.raises(ConfigError):
        paths.workload(web(name))


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "a.b", "-a", "a" * 64, "a\n"])
def test_a_namespace_is_a_label(name: str) -> None:
    with pytest.raises(ConfigError):
        paths.pods(name)


@pytest.mark.parametrize(
    "path",
    ["/../x", "x/../../y", "/%2e%2E/x", "/.%2e", "/./x", "/a b", "/a\r\nb", "/a#b", "/a\\..\\b"],
)
def test_an_applications_path_cannot_climb_out(path: str) -> None:
    with pytest.raises(ConfigError):
        paths.pod_proxy("ns", "a", 80, path)


@pytest.mark.parametrize("port", ["", "80/x", "80:81", "-1", "web_1", "é"])
def test_a_port_is_a_number_or_a_name(port: str) -> None:
    with pytest.raises(ConfigError):
        paths.service_proxy("ns", "a", port, "/")
