"""The objects that the tests deploy: the sandbox's sample application as a small shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.objects import daemon_sets, services, stateful_sets, templates
from tests.objects.deployments import manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.api import Object

SHOP = "shop"
SHORT = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds"}
_MANIFESTS = {"StatefulSet": stateful_sets.manifest, "DaemonSet": daemon_sets.manifest}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of the shop's template. `env` decides how the application behaves."""

    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    probe: str | None = "/ready"
    container: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)


def template(version: Version, *, name: str = SHOP) -> Object:
    container: Object = {
        "env": [{"name": key, "value": value} for key, value in version.env.items()],
        **version.container,
    }
    if version.probe is not None:
        request = {"path": version.probe, "port": "http"}
        container["readinessProbe"] = {"httpGet": request, "periodSeconds": 1}
    spec = {"terminationGracePeriodSeconds": 1, **version.spec}
    return templates.template(version.image, app=name, spec=spec, **container)


def template_spec(version: Version) -> Object:
    spec: Object = template(version)["spec"]
    return spec


def workload(kind: str, version: Version, *, name: str = SHOP, **how: Any) -> Object:
    """Return a workload of a kind; `how` are fields of its spec."""
    if kind == "Deployment":
        return deployment(version, name=name, **how)
    return _MANIFESTS[kind](template(version, name=name), name=name, **how)


def deployment(
    version: Version, *, name: str = SHOP, replicas: int = 1, cause: str = "", **spec: Any
) -> Object:
    annotations = {"kubernetes.io/change-cause": cause} if cause else {}
    return manifest(
        template(version, name=name),
        name=name,
        metadata={"annotations": annotations},
        replicas=replicas,
        **spec,
    )


def service(name: str = SHOP) -> Object:
    return services.service(name, {"name": "web", "port": 80, "targetPort": "http"})
