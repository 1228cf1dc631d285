"""The API server's paths. Every name is one percent-encoded segment and cannot leave its place.

Source of the name rules: apimachinery pkg/api/validation/path (IsValidPathSegmentName) and
pkg/util/validation (IsDNS1123Label).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.health.endpoints import Scheme
    from backout.core.kinds.kind import Resource
    from backout.core.kinds.target import Target

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[0-9]{1,5}|[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_NOT_IN_PATHS = re.compile(r"[\x00-\x20\x7f\\#]")


_NAMED = {
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "PersistentVolumeClaim": "/api/v1/namespaces/{namespace}/persistentvolumeclaims",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "RuntimeClass": "/apis/node.k8s.io/v1/runtimeclasses",
}


def workload(target: Target) -> str:
    """Return the path of one workload."""
    return f"{listed(target.kind.resource, target.namespace)}/{_segment(target.name)}"


def listed(resource: Resource, namespace: str) -> str:
    """Return the path of what a namespace has of a resource."""
    place = f"namespaces/{_namespace(namespace)}"
    return f"/apis/{resource.api_version}/{place}/{resource.plural}"


def listed_everywhere(resource: Resource) -> str:
    """Return the path of what all namespaces have of a resource."""
    return f"/apis/{resource.api_version}/{resource.plural}"


def namespaces() -> str:
    """Return the path of all namespaces."""
    return "/api/v1/namespaces"


def pods(namespace: str) -> str:
    """Return the path of a namespace's Pods."""
    return _core(namespace, "pods")


def pods_everywhere() -> str:
    """Return the path of the Pods of all namespaces."""
    return "/api/v1/pods"


def pod(namespace: str, name: str) -> str:
    """Return the path of one Pod."""
    return f"{pods(namespace)}/{_segment(name)}"


def named(namespace: str, kind: str, name: str) -> str:
    """Return the path of an object that a Pod template names, by its kind as the API spells it."""
    return f"{_NAMED[kind].format(namespace=_namespace(namespace))}/{_segment(name)}"


def owner(group: str, version: str, namespace: str, resource: str, name: str) -> str:
    """Return the path of one object of an API group that may not exist."""
    place = f"/apis/{group}/{version}/namespaces/{_namespace(namespace)}"
    return f"{place}/{resource}/{_segment(name)}"


def logs(namespace: str, name: str) -> str:
    """Return the path of a Pod's log."""
    return f"{pod(namespace, name)}/log"


def events(namespace: str) -> str:
    """Return the path of a namespace's Events (core v1)."""
    return _core(namespace, "events")


def nodes() -> str:
    """Return the path of all Nodes."""
    return "/api/v1/nodes"


def quotas(namespace: str) -> str:
    """Return the path of a namespace's ResourceQuotas."""
    return _core(namespace, "resourcequotas")


def limit_ranges(namespace: str) -> str:
    """Return the path of a namespace's LimitRanges."""
    return _core(namespace, "limitranges")


def served(group: str, version: str) -> str:
    """Return the path at which the API server says which kinds of a group it serves."""
    return f"/apis/{group}/{version}"


def custom(group: str, version: str, namespace: str, plural: str) -> str:
    """Return the path of what a namespace has of a group's kind."""
    return f"{served(group, version)}/namespaces/{_namespace(namespace)}/{plural}"


def autoscalers(namespace: str) -> str:
    """Return the path of a namespace's HorizontalPodAutoscalers."""
    return f"/apis/autoscaling/v2/namespaces/{_namespace(namespace)}/horizontalpodautoscalers"


def budgets(namespace: str) -> str:
    """Return the path of a namespace's PodDisruptionBudgets."""
    return f"/apis/policy/v1/namespaces/{_namespace(namespace)}/poddisruptionbudgets"


def storage_class(name: str) -> str:
    """Return the path of one StorageClass."""
    return f"/apis/storage.k8s.io/v1/storageclasses/{_segment(name)}"


def services(namespace: str) -> str:
    """Return the path of a namespace's Services."""
    return _core(namespace, "services")


def lease(namespace: str, name: str) -> str:
    """Return the path of one Lease."""
    return f"{leases(namespace)}/{_segment(name)}"


def leases(namespace: str) -> str:
    """Return the path of a namespace's Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{_namespace(namespace)}/leases"


def all_leases() -> str:
    """Return the path of the Leases of all namespaces."""
    return "/apis/coordination.k8s.io/v1/leases"


def pod_proxy(
    namespace: str, name: str, port: int | str, path: str, scheme: Scheme = "http"
) -> str:
    """Return the path that asks a Pod through the API server.

    `path` is the application's, with or without its leading slash and with its query, if any.
    """
    return f"{pods(namespace)}/{_proxied(name, port, scheme)}/proxy/{_application(path)}"


def service_proxy(
    namespace: str, name: str, port: int | str, path: str, scheme: Scheme = "http"
) -> str:
    """Return the path that asks a Service through the API server; `port` is a number or a name."""
    return f"{services(namespace)}/{_proxied(name, port, scheme)}/proxy/{_application(path)}"


def self_subject_access_reviews() -> str:
    """Return the path to ask whether we may do something."""
    return "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def version() -> str:
    """Return the path of the server's version."""
    return "/version"


def _core(namespace: str, resource: str) -> str:
    return f"/api/v1/namespaces/{_namespace(namespace)}/{resource}"


def _proxied(name: str, port: int | str, scheme: Scheme) -> str:
    """Return `[https:]NAME:PORT`; http is left out for RBAC's resourceNames to match `NAME:PORT`.

    A colon in the segment is the API's separator, so it stands unencoded.
    """
    if not _PORT.fullmatch(str(port)):
        raise ConfigError(f'"{untrusted(str(port))}" is not a port number or name')
    prefix = "https:" if scheme == "https" else ""
    return f"{prefix}{_segment(name)}:{port}"


def _namespace(namespace: str) -> str:
    if not _LABEL.fullmatch(namespace):
        raise ConfigError(
            f'"{untrusted(namespace)}" is not a namespace name',
            remedy="use lower-case letters, digits and '-', 63 at most",
        )
    return namespace


def _segment(name: str) -> str:
    if not name or name in {".", ".."} or "/" in name or "%" in name:
        raise ConfigError(f'"{untrusted(name)}" is not a name that an object can have')
    return quote(name, safe="")


def _application(path: str) -> str:
    """Return an application's path and query to follow `/proxy/`, refusing what climbs out."""
    rest, mark, query = path.removeprefix("/").partition("?")
    climbs = any(_DOTS.fullmatch(part) for part in rest.split("/"))
    if climbs or _NOT_IN_PATHS.search(path):
        raise ConfigError(
            f'"{untrusted(path)}" is not a path that can be asked through the API server',
            remedy="give a path like /healthz, percent-encoded, without . and .. segments",
        )
    return quote(rest, safe="/%:@!$&'()*+,;=~") + mark + quote(query, safe="/%:@!$&'()*+,;=~?")
