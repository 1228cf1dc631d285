"""Flux's kustomize-controller itself, run as a process beside the sandbox, for one namespace.

Its sources are artifacts over HTTP, which source-controller tells of in a GitRepository's status.
The test serves them and tells of them in its place; what applies them is Flux.
"""

from __future__ import annotations

import hashlib
import io
import os
import signal
import tarfile
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import yaml

from tests.cluster import owner_programs
from tests.cluster.command import Running, run
from tests.cluster.definitions import applied
from tests.cluster.go_tools import sources
from tests.cluster.manifests import SHOP, deployment
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.api import Object
    from tests.cluster.command import Ran
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

GIT = "source.toolkit.fluxcd.io/v1"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
ONE = {"name": SHOP}


class Flux:
    """One Kustomization of the shop; each version of it is a commit."""

    def __init__(self, space: Space, folder: Path, url: str) -> None:
        self._space, self._folder, self._url = space, folder, url
        self._repositories = f"/apis/{GIT}/namespaces/{space.name}/gitrepositories"
        self._kustomizations = f"/apis/{KUSTOMIZE}/namespaces/{space.name}/kustomizations"
        program = owner_programs.FLUX.built()
        path = f"{program.parent}{os.pathsep}{space.environment['PATH']}"
        self._environment = {**space.environment, "PATH": path}

    def create(self) -> None:
        """Make the objects of Flux; it looks every 5 s whether the cluster still is as in git."""
        spec: Object = {"url": "https://git.example/shop", "interval": "1h"}
        made: Object = {"apiVersion": GIT, "kind": "GitRepository", "metadata": ONE, "spec": spec}
        self._space.api.call("POST", self._repositories, made)
        source = {"kind": "GitRepository", **ONE}
        spec = {"interval": "5s", "path": "./", "prune": True, "sourceRef": source}
        spec["targetNamespace"] = self._space.name
        made = {"apiVersion": KUSTOMIZE, "kind": "Kustomization", "metadata": ONE, "spec": spec}
        self._space.api.call("POST", self._kustomizations, made)

    def commit(self, version: Version) -> str:
        """Put this into git, and return the revision by which Flux knows it."""
        content = _archive(deployment(version))
        digest = hashlib.sha256(content).hexdigest()
        (self._folder / f"{digest}.tar.gz").write_bytes(content)
        artifact = {
            "digest": f"sha256:{digest}",
            "path": f"{digest}.tar.gz",
            "url": f"{self._url}/{digest}.tar.gz",
            "revision": f"main@sha1:{digest[:40]}",
            "lastUpdateTime": self._space.api.now(),
        }
        path = f"{self._repositories}/{SHOP}/status"
        self._space.api.call("PATCH", path, {"status": {"artifact": artifact}}, "merge-patch+json")
        return str(artifact["revision"])

    def has_applied(self, revision: str) -> None:
        """Wait until Flux says that it has applied this revision, and is content."""
        until(f"Flux has applied {revision}", partial(self._is_content, revision), within=60)

    def _is_content(self, revision: str) -> bool:
        found = self._space.api.call("GET", f"{self._kustomizations}/{SHOP}").get("status", {})
        ready = {c["type"]: c["status"] for c in found.get("conditions", ())}.get("Ready")
        return bool(found.get("lastAppliedRevision") == revision and ready == "True")

    def pasted(self, line: str) -> Ran:
        return run(["bash", "-c", line], self._environment)


@contextmanager
def flux(space: Space) -> Iterator[Flux]:
    """Run it, with its kinds, until left."""
    program = owner_programs.FLUX_CONTROLLER.built()
    git = sources(owner_programs.FLUX_SOURCES) / "config" / "crd"
    kustomize = sources(owner_programs.FLUX_CONTROLLER.module) / "config" / "crd"
    folder = space.folder / "artifacts"
    folder.mkdir()
    with ExitStack() as stack:
        kinds = (f"/apis/{GIT}/gitrepositories", f"/apis/{KUSTOMIZE}/kustomizations")
        for crds, kind in zip((git, kustomize), kinds, strict=True):
            stack.enter_context(applied(space, crds, kind))
        url = stack.enter_context(_served(folder))
        argv = [str(program), "--watch-all-namespaces=false", "--metrics-addr=0"]
        environment = {**space.environment, "RUNTIME_NAMESPACE": space.name}
        running = Running([*argv, "--health-addr=127.0.0.1:0"], environment, space.folder)
        try:
            yield Flux(space, folder, url)
        finally:
            space.kubectl("delete", "kustomization", SHOP, "--timeout=30s")
            running.send(signal.SIGTERM)
            running.ended()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _archive(manifest: Object) -> bytes:
    content = yaml.safe_dump(manifest).encode()
    entry = tarfile.TarInfo("shop.yaml")
    entry.size = len(content)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
