"""A namespace of the sandbox for one test: what it deploys there, runs there and finds there."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from tests.cluster.api import Api, Object, Refused
from tests.cluster.command import BACKOUT, Ran, Running, run
from tests.cluster.manifests import SHOP, SHORT, Version, service, template_spec, workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sandbox.cluster import Cluster

T = TypeVar("T")
PATIENCE = 60.0
REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
_OF_SETS = ("updatedReplicas", "replicas", "availableReplicas")
COUNTERS = {
    "Deployment": _OF_SETS,
    "StatefulSet": _OF_SETS,
    "DaemonSet": ("updatedNumberScheduled", "currentNumberScheduled", "numberAvailable"),
}
"""What is as many as are wanted where a rollout is complete."""


def until(what: str, ask: Callable[[], T | None], *, within: float = PATIENCE) -> T:
    """Ask until the answer is something true, and return it; fail when time is up."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.05)


CONFLICT = 409


class Space:
    """`kind` is that of the workload which is deployed, undone and looked at."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.api = Api(cluster.kubeconfig)
        self.kind = "Deployment"
        self.name = f"t-{os.urandom(4).hex()}"
        self._audited_before = cluster.audit_log.stat().st_size
        self.api.call(
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}},
        )
        # Pods are refused before the controller-manager has made it.
        until("a ServiceAccount", lambda: self._exists("ServiceAccount", "default"))
        for private in ("home", "state", "tmp"):
            (folder / private).mkdir()
        self.environment = {
            "PATH": f"{BACKOUT.parent}:{cluster.kubectl.parent}:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": str(folder / "tmp"),
            "KUBECONFIG": str(cluster.kubeconfig),
            "BACKOUT_REGISTRY_PLAIN_HTTP": cluster.registry,
            "BACKOUT_HEALTH_SUCCESSES": "1",
        }
        self._undo = ExitStack()
        self.journal = folder / "state" / "backout" / "journal.jsonl"

    def close(self) -> None:
        """Delete the namespace without waiting for it."""
        self._undo.close()
        self.api.call("DELETE", f"/api/v1/namespaces/{self.name}")
        self.api.close()

    def image(self, tag: str, repository: str = "app") -> str:
        return self.cluster.image(repository, tag)

    def version(
        self, tag: str = "v1", *, repository: str = "app", image: str = "", **how: Any
    ) -> Version:
        return Version(image=image or self.image(tag, repository), **how)

    # What a team does.

    def create(self, body: Object) -> Object:
        return self.api.create(self.name, body)

    def deploy(
        self, version: Version, *, name: str = SHOP, up: bool = True, serve: bool = True, **how: Any
    ) -> None:
        """Create the workload, with its Service, and wait until it is up."""
        if serve:
            self.create(service(name))
        self.create(workload(self.kind, version, name=name, **how))
        self.rolled_out(name) if up else self.observed(name)

    def roll(
        self,
        version: Version,
        *,
        name: str = SHOP,
        up: bool = False,
        cause: str | None = None,
        observed: bool = True,
    ) -> None:
        """Deploy another version; wait until its ReplicaSet is there, or until it is up.

        Not where it is never `observed`: the controller cannot make a ReplicaSet.
        """
        self.merge(
            {
                "metadata": {"annotations": {CHANGE_CAUSE: cause}},
                "spec": {"template": {"spec": template_spec(version)}},
            },
            name=name,
        )
        if observed:
            self.rolled_out(name) if up else self.observed(name)

    def label_namespace(self, labels: Mapping[str, str]) -> None:
        body = {"metadata": {"labels": dict(labels)}}
        self.api.call("PATCH", f"/api/v1/namespaces/{self.name}", body, "merge-patch+json")

    def label_node(self, labels: Mapping[str, str]) -> None:
        """Label the sandbox's node until the test ends."""
        labelled = {"metadata": {"labels": dict(labels)}}
        self.change_node(labelled, {"metadata": {"labels": dict.fromkeys(labels)}})

    def nodes(self) -> list[Object]:
        found: list[Object] = self.api.call("GET", "/api/v1/nodes")["items"]
        return found

    def change_node(self, change: Object, back: Object) -> None:
        """Change the sandbox's node until the test ends; `back` is the patch that restores it."""
        path = f"/api/v1/nodes/{self.cluster.node}"
        self.api.call("PATCH", path, change, "merge-patch+json")
        if back:
            self._undo.callback(self.api.call, "PATCH", path, back, "merge-patch+json")

    def until_closed(self, context: AbstractContextManager[object]) -> None:
        """Enter a context; it is left when the test ends."""
        self._undo.enter_context(context)

    def runtime_class(self, handler: str, **more: Any) -> None:
        """Make a RuntimeClass of the namespace's name; it is gone when the test ends."""
        path = "/apis/node.k8s.io/v1/runtimeclasses"
        made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": handler}
        made.update(more)
        self.api.call("POST", path, {**made, "metadata": {"name": self.name}})
        self._undo.callback(self.api.call, "DELETE", f"{path}/{self.name}")

    def deny_image(self, image: str) -> None:
        """Refuse Deployments of this image in this namespace, until the test ends."""
        api = "/apis/admissionregistration.k8s.io/v1"
        kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": self.name}}
        rule = {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "operations": ["UPDATE"],
            "resources": ["deployments"],
        }
        said = f"object.spec.template.spec.containers.all(c, c.image != '{image}')"
        policy = {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": said, "message": "not this image"}],
        }
        here = {"matchLabels": {"kubernetes.io/metadata.name": self.name}}
        binding = {
            "policyName": self.name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": here},
        }
        for plural, one, spec in (
            ("validatingadmissionpolicies", "ValidatingAdmissionPolicy", policy),
            ("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", binding),
        ):
            self.api.call("POST", f"{api}/{plural}", {**kind, "kind": one, "spec": spec})
            self._undo.callback(self.api.call, "DELETE", f"{api}/{plural}/{self.name}")
        until("the policy is in force", lambda: self._is_denied(image))

    def _is_denied(self, image: str) -> bool:
        path = f"/apis/apps/v1/namespaces/{self.name}/deployments/{SHOP}?dryRun=All"
        containers = [{"name": "app", "image": image}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        try:
            self.api.call("PATCH", path, body, "strategic-merge-patch+json")
        except Refused:
            return True
        return False

    def later_than(self, stamp: str) -> None:
        """Wait until the server's clock, of whole seconds, has moved on."""
        until("a later second", lambda: self.api.now() > stamp)

    def merge(self, body: Object, *, kind: str = "", name: str = SHOP) -> Object:
        return self.api.merge(self.name, kind or self.kind, name, body)

    def replace(self, body: Object) -> Object:
        return self.api.replace(self.name, body)

    def kubectl(self, *words: str) -> Ran:
        argv = [str(self.cluster.kubectl), "-n", self.name, *words]
        return run(argv, self.environment)

    def kubectl_plugin(self, *words: str) -> Ran:
        argv = [str(self.cluster.kubectl), "backout", *words, "-n", self.name]
        return run(argv, self.environment)

    # What is there.

    def get(self, kind: str = "", name: str = SHOP) -> Object:
        return self.api.get(self.name, kind or self.kind, name)

    def every(self, kind: str, selector: str = "") -> list[Object]:
        return self.api.every(self.name, kind, selector)

    def template(self, name: str = SHOP) -> Object:
        found: Object = self.get(name=name)["spec"]["template"]
        return found

    def template_owners(self) -> set[str]:
        """Return the managers of any field of the shop's Pod template."""
        entries = self.get()["metadata"]["managedFields"]
        return {e["manager"] for e in entries if "f:template" in e["fieldsV1"].get("f:spec", {})}

    def image_now(self, name: str = SHOP) -> str:
        return str(self.template(name)["spec"]["containers"][0]["image"])

    def revisions(self, name: str = SHOP) -> dict[int, Object]:
        sets = self.every("ReplicaSet", f"app={name}")
        return {int(r["metadata"]["annotations"][REVISION]): r for r in sets}

    def lease(self, name: str = SHOP) -> Object | None:
        digest = hashlib.sha256(f"apps/{self.kind}/{name}".encode()).hexdigest()[:10]
        lease = f"backout-{name}-{digest}"
        return self.get("Lease", lease) if self._exists("Lease", lease) else None

    def records(self, name: str = SHOP) -> list[Object]:
        """Return what the Lease has on record, oldest first."""
        lease = self.lease(name)
        text = lease["metadata"]["annotations"]["backout.dev/ledger"] if lease else "{}"
        records: list[Object] = json.loads(text).get("records", [])
        return records

    def journal_lines(self, path: Path | None = None) -> list[Object]:
        text = (path or self.journal).read_text()
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def events(self, name: str = SHOP) -> list[Object]:
        """Return the Events about the Deployment that backout made."""
        return [
            e
            for e in self.every("Event")
            if e["source"].get("component") == "backout"
            and e["involvedObject"]["kind"] == "Deployment"
            and e["involvedObject"]["name"] == name
        ]

    def audited(self, verb: str, resource: str) -> list[Object]:
        """Return backout's own requests of this namespace, by the API server's audit log.

        Dry runs change nothing and are left out; so is what came too late for its precondition.
        """
        with self.cluster.audit_log.open("rb") as log:
            log.seek(self._audited_before)
            lines = [s for s in log if self.name.encode() in s and b"backout/" in s]
        return [
            e
            for e in map(json.loads, lines)
            if e["verb"] == verb
            and e["objectRef"].get("resource") == resource
            and e["userAgent"].startswith("backout/")
            and e["stage"] == "ResponseComplete"
            and "dryRun=All" not in e["requestURI"]
            and not (verb in {"patch", "delete"} and e["responseStatus"]["code"] == CONFLICT)
        ]

    def wrote(self) -> list[Object]:
        """Return all of backout's own writes that could change something here."""
        verbs = ("create", "update", "patch", "delete")
        kinds = ("deployments", "leases", "events", "pods", "replicasets")
        return [e for verb in verbs for kind in kinds for e in self.audited(verb, kind)]

    def _exists(self, kind: str, name: str) -> bool:
        try:
            self.get(kind, name)
        except Refused as error:
            if error.code != 404:
                raise
            return False
        return True

    # What is awaited.

    def observed(self, name: str = SHOP) -> None:
        """Wait until the controller has seen the newest spec and has its ReplicaSet."""

        def is_observed() -> bool:
            found = self.get(name=name)
            seen = found["status"].get("observedGeneration", 0)
            return bool(seen >= found["metadata"]["generation"])

        until(f"{name} is observed", is_observed)

    def rolled_out(self, name: str = SHOP) -> None:
        def is_rolled_out() -> bool:
            found = self.get(name=name)
            status = found["status"]
            wanted = found["spec"].get("replicas", status.get("desiredNumberScheduled"))
            return bool(
                status.get("observedGeneration", 0) >= found["metadata"]["generation"]
                and all(status.get(c, 0) == wanted for c in COUNTERS[self.kind])
            )

        until(f"{name} is rolled out", is_rolled_out)

    def pods(self, name: str = SHOP, *, image: str = "") -> list[Object]:
        """Return the Deployment's Pods that are to stay, all or those of one image."""
        return [
            p
            for p in self.every("Pod", f"app={name}")
            if "deletionTimestamp" not in p["metadata"]
            and image in {"", p["spec"]["containers"][0]["image"]}
        ]

    # What is tested.

    def undo(self, *words: str, name: str = SHOP, env: Mapping[str, str] | None = None) -> Ran:
        return run(self._argv(name, words), {**self.environment, **(env or {})})

    def start_undo(self, *words: str, name: str = SHOP) -> Running:
        return Running(self._argv(name, words), self.environment, self.folder)

    def backout(self, *words: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run any other command of backout's in this namespace."""
        argv = [str(BACKOUT), *words, "-n", self.name]
        return run(argv, {**self.environment, **(env or {})})

    def resume(self, *words: str, name: str = SHOP) -> Ran:
        return self.backout("resume", f"{SHORT[self.kind]}/{name}", *words)

    def started(self, *words: str) -> Running:
        """Start any command of backout's in this namespace."""
        return Running([str(BACKOUT), *words, "-n", self.name], self.environment, self.folder)

    def _argv(self, name: str, words: tuple[str, ...]) -> list[str]:
        return [
            str(BACKOUT),
            "undo",
            f"{SHORT[self.kind]}/{name}",
            "-n",
            self.name,
            "--yes",
            *words,
        ]
