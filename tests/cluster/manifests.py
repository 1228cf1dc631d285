"""The objects that the tests deploy: the sandbox's sample application as a small shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.api import Object

SHOP = "shop"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of the shop's template. `env` decides how the application behaves."""

    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    probe: str | None = "/ready"
    container: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)


def template_spec(version: Version) -> Object:
    container: Object = {
        "name": "app",
        "image": version.image,
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": name, "value": value} for name, value in version.env.items()],
        **version.container,
    }
    if version.probe is not None:
        container["readinessProbe"] = {
            "httpGet": {"path": version.probe, "port": "http"},
            "periodSeconds": 1,
        }
    return {"terminationGracePeriodSeconds": 1, "containers": [container], **version.spec}


def deployment(
    version: Version, *, name: str = SHOP, replicas: int = 1, cause: str = "", **spec: Any
) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "annotations": {"kubernetes.io/change-cause": cause} if cause else {},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template_spec(version)},
            **spec,
        },
    }


def service(name: str = SHOP) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "web", "port": 80, "targetPort": "http"}],
        },
    }
