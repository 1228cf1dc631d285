"""The sandbox's API server as an administrator sees it: raw dicts, one connection a test."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Object = dict[str, Any]

PLURALS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "ControllerRevision": "/apis/apps/v1/namespaces/{}/controllerrevisions",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Event": "/api/v1/namespaces/{}/events",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
}
TIMEOUT_SECONDS = 60.0
IDLE_SECONDS = 45.0
"""The API server closes a connection on which nothing was asked for 90 s (its IdleTimeout)."""
WATCH_SECONDS = 600
"""A watch may be silent for as long as it is open."""


class Refused(Exception):  # noqa: N818 (it reads as what happened)
    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        users = {u["name"]: u["user"] for u in config["users"]}
        address = urlsplit(cluster["server"])
        tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._token = users["admin"]["token"]
        self._connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=tls, timeout=TIMEOUT_SECONDS
        )
        self._asked_at = time.monotonic()

    def call(self, method: str, path: str, body: Object | None = None, kind: str = "json") -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": f"application/{kind}",
            "User-Agent": "backout-cluster-tests",
        }
        if time.monotonic() - self._asked_at > IDLE_SECONDS:
            self._connection.close()
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        response = self._connection.getresponse()
        content = json.loads(response.read())
        self._asked_at = time.monotonic()
        self._date = response.headers["Date"]
        if response.status >= 400:
            raise Refused(response.status, content.get("message", ""))
        return content

    def now(self) -> str:
        """Return the server's time, as the API writes times."""
        self.call("GET", "/version")
        return f"{parsedate_to_datetime(self._date):%Y-%m-%dT%H:%M:%SZ}"

    def every(self, namespace: str, kind: str, selector: str = "") -> list[Object]:
        query = f"?labelSelector={selector}" if selector else ""
        found: list[Object] = self.call("GET", PLURALS[kind].format(namespace) + query)["items"]
        return found

    def get(self, namespace: str, kind: str, name: str) -> Object:
        found: Object = self.call("GET", f"{PLURALS[kind].format(namespace)}/{name}")
        return found

    def followed(self, namespace: str, kind: str) -> Iterator[Object]:
        """Open a watch and return its events: what there is first, what comes until `hang_up`."""
        query = f"?watch=true&timeoutSeconds={WATCH_SECONDS}"
        path, bearer = PLURALS[kind].format(namespace) + query, f"Bearer {self._token}"
        self._connection.request("GET", path, headers={"Authorization": bearer})
        response = self._connection.getresponse()
        self._connection.sock.settimeout(WATCH_SECONDS)
        return self._events(response)

    def _events(self, response: http.client.HTTPResponse) -> Iterator[Object]:
        with response, suppress(OSError, ValueError, http.client.HTTPException):
            for line in response:
                yield json.loads(line)

    def hang_up(self) -> None:
        """End a watch from another thread."""
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def create(self, namespace: str, body: Object) -> Object:
        made: Object = self.call("POST", PLURALS[body["kind"]].format(namespace), body)
        return made

    def replace(self, namespace: str, body: Object) -> Object:
        path = f"{PLURALS[body['kind']].format(namespace)}/{body['metadata']['name']}"
        changed: Object = self.call("PUT", path, body)
        return changed

    def merge(self, namespace: str, kind: str, name: str, body: Object) -> Object:
        path = f"{PLURALS[kind].format(namespace)}/{name}"
        changed: Object = self.call("PATCH", path, body, "merge-patch+json")
        return changed

    def delete(self, namespace: str, kind: str, name: str) -> None:
        self.call("DELETE", f"{PLURALS[kind].format(namespace)}/{name}")

    def close(self) -> None:
        self._connection.close()
