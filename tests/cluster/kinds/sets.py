"""A StatefulSet or a DaemonSet in a namespace of the sandbox: deployed, broken and looked at."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.cluster.api import Refused
from tests.cluster.command import run
from tests.cluster.manifests import (
    SHOP,
    SHORT,
    Version,
    service,
    template,
    template_spec,
    workload,
)
from tests.cluster.space import CHANGE_CAUSE, until
from tests.objects import stateful_sets

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.command import Ran, Running
    from tests.cluster.space import Space

STATEFUL, DAEMON = "StatefulSet", "DaemonSet"
HASH = "controller-revision-hash"


class Shop:
    """The sample application as a workload of a kind; `spec` are fields of its own spec."""

    def __init__(self, space: Space, kind: str, **spec: Any) -> None:
        self.space, self.kind = space, kind
        self.target = f"{SHORT[kind]}/{SHOP}"
        self._spec = spec

    def deploy(self, version: Version | None = None, *, up: bool = True) -> None:
        version = version or self.space.version("v1")
        self.space.create(service())
        self.space.create(workload(self.kind, version, **self._spec))
        self.until_ready() if up else self.until_observed()

    def roll(self, version: Version, *, cause: str | None = None, up: bool = False) -> None:
        """Deploy another version, and wait until a Pod of it is there, or all are Ready."""
        self.change(
            {"template": {"spec": template_spec(version)}},
            metadata={"annotations": {CHANGE_CAUSE: cause}},
        )
        until("a Pod of it", lambda: self.pods(version.image, version.env))
        if up:
            self.until_ready()

    def change(self, spec: Object, **more: Object) -> None:
        self.space.merge({"spec": spec, **more}, kind=self.kind)
        self.until_observed()

    def until_observed(self) -> Object:
        def is_observed() -> Object | None:
            found = self.now
            seen = found.get("status", {}).get("observedGeneration", 0)
            return found if seen >= found["metadata"]["generation"] else None

        return until("it is observed", is_observed)

    def until_ready(self) -> None:
        """Wait until every Pod that is wanted is of the newest template, and Ready."""

        def are_ready() -> bool:
            found = self.until_observed()
            wanted = (
                found["spec"]["replicas"]
                if self.kind == STATEFUL
                else found["status"]["desiredNumberScheduled"]
            )
            image = found["spec"]["template"]["spec"]["containers"][0]["image"]
            return sum(map(is_ready, self.pods(image))) == int(wanted)

        until("all Pods are Ready", are_ready)

    @property
    def now(self) -> Object:
        return self.space.get(self.kind)

    @property
    def image(self) -> str:
        return str(self.now["spec"]["template"]["spec"]["containers"][0]["image"])

    @property
    def history(self) -> dict[int, Object]:
        return {r["revision"]: r for r in self.space.every("ControllerRevision", f"app={SHOP}")}

    def pods(self, image: str = "", env: Any = None) -> list[Object]:
        """Return the Pods that are to stay, lowest first: all, or those of an image (and env)."""
        wanted = [{"name": k, "value": v} for k, v in (env or {}).items()]
        found = sorted(self.space.pods(image=image), key=lambda p: str(p["metadata"]["name"]))
        return [
            p for p in found if env is None or p["spec"]["containers"][0].get("env", []) == wanted
        ]

    def undo(self, *words: str) -> Ran:
        return self.backout("undo", "--yes", *words)

    def backout(self, command: str, *words: str) -> Ran:
        return self.space.backout(command, self.target, *words)

    def started(self, command: str, *words: str) -> Running:
        return self.space.started(command, self.target, *words)

    def kubectl(self, *words: str) -> Ran:
        argv = [str(self.space.cluster.kubectl), "-n", self.space.name, *words]
        return run(argv, self.space.environment)

    def records(self) -> list[Object]:
        digest = hashlib.sha256(f"apps/{self.kind}/{SHOP}".encode()).hexdigest()[:10]
        lease = self.space.get("Lease", f"backout-{SHOP}-{digest}")
        text = lease["metadata"]["annotations"]["backout.dev/ledger"]
        records: list[Object] = json.loads(text)["records"]
        return records


GATE = "example.com/open"
"""A readiness gate that the test alone opens and shuts: Pods are Ready as it says."""
GATED: dict[str, Any] = {"readinessGates": [{"conditionType": GATE}]}


class Gated(Shop):
    """A StatefulSet whose Pods are Ready when the test says so; each deploy is a `build`."""

    def __init__(self, space: Space, **spec: Any) -> None:
        super().__init__(space, STATEFUL, **spec)
        self._open: set[str] = set()
        self._shut: set[str] = set()

    def begin(self) -> None:
        """Deploy build 1, whose Pods are Ready."""
        self.opening("1")
        version = self.space.version("v1", spec=GATED)
        self.space.create(service())
        made = stateful_sets.manifest(template(version), name=SHOP, **self._spec)
        made["spec"]["template"]["metadata"]["labels"]["build"] = "1"
        self.space.create(made)
        until("all are Ready", lambda: self.ready() == ["1"] * 3)

    def build(self, number: str) -> None:
        self.change({"template": {"metadata": {"labels": {"build": number}}}})

    def opening(self, *builds: str, but: tuple[int, ...] = ()) -> None:
        """Let Pods of these builds be Ready from now on, also those that come; no others.

        Those of the ordinals `but` are not.
        """
        self._open = set(builds)
        self._shut = {f"{SHOP}-{n}" for n in but}

    def turn(self) -> None:
        """Open and shut the gates as they should be now."""
        for pod in self.pods():
            name = pod["metadata"]["name"]
            wanted = str(
                pod["metadata"]["labels"]["build"] in self._open and name not in self._shut
            )
            told = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
            if told.get(GATE, "False") != wanted:
                self.set_gate(name, wanted)

    def set_gate(self, name: str, status: str) -> None:
        body = {"status": {"conditions": [{"type": GATE, "status": status}]}}
        path = f"/api/v1/namespaces/{self.space.name}/pods/{name}/status"
        with suppress(Refused):  # it has gone meanwhile
            self.space.api.call("PATCH", path, body, "strategic-merge-patch+json")

    def builds(self) -> list[str]:
        return [p["metadata"]["labels"]["build"] for p in self.pods()]

    def ready(self) -> list[str]:
        """Turn the gates, and return the builds of the Pods that are Ready, lowest first."""
        self.turn()
        return [p["metadata"]["labels"]["build"] for p in self.pods() if is_ready(p)]

    def whenever_ready(self, running: Running) -> Ran:
        """Turn the gates until a command has ended."""
        while running.is_running():
            self.turn()
        return running.ended()


def is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
