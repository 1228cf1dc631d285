"""A mutating webhook of a test: HTTPS on loopback, where the sandbox's API server reaches it.

    with mutating(space, change):
        ...                            # every write of a Deployment in this namespace is changed

`change` gets the Deployment's Pod template, as it would be stored, and changes it in place. The
server shows the sandbox's own certificate.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from sandbox.certificates import Certificates
from tests.cluster.api import Refused
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.api import Object
    from tests.cluster.space import Space

    Change = Callable[[Object], None]

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
DEPLOYMENTS = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["deployments"],
}


@contextmanager
def mutating(space: Space, change: Change) -> Iterator[None]:
    """Let the webhook be in force in the namespace while the block runs."""
    certificates = Certificates(space.cluster.state / "certificates")
    with _served(certificates, change) as asked:
        authority = base64.b64encode(certificates.authority.read_bytes()).decode()
        space.api.call("POST", CONFIGURATIONS, _configuration(space, asked.url, authority))
        try:
            until("the webhook is asked", lambda: _is_asked(space, asked))
            yield
        finally:
            space.api.call("DELETE", f"{CONFIGURATIONS}/{space.name}")


def _configuration(space: Space, url: str, authority: str) -> Object:
    webhook = {
        "name": "change.backout.example",
        "clientConfig": {"url": url, "caBundle": authority},
        "rules": [DEPLOYMENTS],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 10,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": space.name},
        "webhooks": [webhook],
    }


def _is_asked(space: Space, asked: _Server) -> bool:
    """Tell whether a write is told to the webhook by now: configurations are taken up in time."""
    spec: Object = {"selector": {}, "template": {}}
    made: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "nothing"}}
    path = f"/apis/apps/v1/namespaces/{space.name}/deployments?dryRun=All"
    with suppress(Refused):
        space.api.call("POST", path, {**made, "spec": spec})
    return asked.count > 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, change: Change) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.change = change
        self.count = 0
        self.url = f"https://127.0.0.1:{self.server_port}/"


class _Asked(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer an AdmissionReview with the patch that makes the change."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        template = review["request"]["object"]["spec"]["template"]
        self.server.count += 1
        if template.get("spec"):
            self.server.change(template)
        patch = [{"op": "replace", "path": "/spec/template", "value": template}]
        response: dict[str, Any] = {
            "uid": review["request"]["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        }
        body = json.dumps({**review, "request": None, "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _served(certificates: Certificates, change: Change) -> Iterator[_Server]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    with _Server(change) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
