"""A user for whose writes the API server has one seat, and what takes it.

    with writer(space) as busy:
        ...                            # busy.token, and busy.taken() until busy.freed()

Priority and fairness turn away whatever does not find a seat; a request whose body has not arrived
yet keeps its seat. Nobody else's requests are looked at by this priority level.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.api import Object
    from tests.cluster.space import Space

FLOW = "flowcontrol.apiserver.k8s.io"
RBAC = "rbac.authorization.k8s.io"
NAME = "busy"
TURNED_AWAY = 429
FLOW_SCHEMA = "X-Kubernetes-PF-FlowSchema-UID"


@contextmanager
def writer(space: Space) -> Iterator[Busy]:
    """Give a ServiceAccount with every right in the namespace, and one seat for its writes."""
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": space.name}
    space.create(_object("v1", "ServiceAccount", NAME))
    binding = _object(f"{RBAC}/v1", "RoleBinding", NAME)
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "admin"}
    space.create({**binding, "roleRef": role, "subjects": [subject]})
    path = f"/api/v1/namespaces/{space.name}/serviceaccounts/{NAME}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = space.api.call("POST", path, asked)["status"]["token"]
    with ExitStack() as stack:
        _made(stack, space, "PriorityLevelConfiguration", _one_seat())
        made = _made(stack, space, "FlowSchema", _writes(space))
        busy = Busy(space, token)
        stack.callback(busy.freed)
        uid = made["metadata"]["uid"]
        until("the flow schema is in force", lambda: busy.asked().headers[FLOW_SCHEMA] == uid)
        yield busy


class Busy:
    """The user, and the one seat for its writes."""

    def __init__(self, space: Space, token: str) -> None:
        config = json.loads(space.cluster.kubeconfig.read_text())
        address = urlsplit(config["clusters"][0]["cluster"]["server"])
        self.token = token
        self._address = (address.hostname or "", address.port or 443)
        self._tls = ssl.create_default_context(
            cafile=space.cluster.state / "certificates" / "ca.crt"
        )
        self._path = f"/apis/apps/v1/namespaces/{space.name}/deployments/nothing"
        self._seated: ssl.SSLSocket | None = None

    def taken(self) -> None:
        """Take the seat; return when the next write would be turned away."""
        until("the seat is taken", self._is_taken)

    def _is_taken(self) -> bool:
        self.freed()
        plain = socket.create_connection(self._address)
        self._seated = self._tls.wrap_socket(plain, server_hostname=self._address[0])
        head = (
            f"PATCH {self._path} HTTP/1.1",
            f"Host: {self._address[0]}",
            f"Authorization: Bearer {self.token}",
            "Content-Type: application/merge-patch+json",
            "Content-Length: 1000",
        )
        self._seated.sendall(("\r\n".join([*head, "", ""]) + "{").encode())
        return any(self.asked().status == TURNED_AWAY for _ in range(10))

    def freed(self) -> None:
        """Leave the seat; whoever left it asks no more."""
        if self._seated is not None:
            self._seated.close()
            self._seated = None

    def asked(self) -> http.client.HTTPResponse:
        """Return the answer to a write that changes nothing."""
        connection = http.client.HTTPSConnection(*self._address, context=self._tls, timeout=10)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/merge-patch+json",
        }
        connection.request("PATCH", self._path, "{}", headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


def _object(version: str, kind: str, name: str) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def _made(stack: ExitStack, space: Space, kind: str, spec: Object) -> Object:
    """Make what is the cluster's; it is gone when the test ends."""
    path = f"/apis/{FLOW}/v1/{kind.lower()}s"
    body = {**_object(f"{FLOW}/v1", kind, space.name), "spec": spec}
    made: Object = space.api.call("POST", path, body)
    stack.callback(space.api.call, "DELETE", f"{path}/{space.name}")
    return made


def _one_seat() -> Object:
    """Without any share of its own, and without what others lend, one request is carried out."""
    limited = {
        "nominalConcurrencyShares": 0,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    }
    return {"type": "Limited", "limited": limited}


def _writes(space: Space) -> Object:
    account = {"name": NAME, "namespace": space.name}
    rules = [
        {"verbs": verbs, "apiGroups": [group], "resources": [plural], "namespaces": [space.name]}
        for verbs, group, plural in (
            (["patch"], "apps", "deployments"),
            (["create", "update"], "coordination.k8s.io", "leases"),
        )
    ]
    subjects = [{"kind": "ServiceAccount", "serviceAccount": account}]
    return {
        "priorityLevelConfiguration": {"name": space.name},
        "matchingPrecedence": 100,
        "rules": [{"subjects": subjects, "resourceRules": rules}],
    }
