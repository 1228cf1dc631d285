"""A Deployment whose rollout is stuck while its old Pods still run: the commonest case."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.cluster import Cluster

MANIFEST = Path(__file__).parents[1] / "demo" / "shop.yaml"


class Scene:
    """A namespace of its own on the sandbox; gone afterwards."""

    namespace = "backout-bench"

    def __init__(self, sandbox: Cluster) -> None:
        self._sandbox = sandbox
        self.backout = str(Path(sys.executable).with_name("backout"))
        self.kubectl = str(sandbox.kubectl)
        os.environ |= {
            "KUBECONFIG": str(sandbox.kubeconfig),
            "BACKOUT_REGISTRY_PLAIN_HTTP": sandbox.registry,
        }

    def __enter__(self) -> Self:
        self._kubectl(f"delete namespace {self.namespace} --ignore-not-found --timeout=60s")
        self._kubectl(f"create namespace {self.namespace}")
        manifest = MANIFEST.read_text().replace("IMAGE", self._sandbox.image("app", "v1"))
        self._kubectl(f"apply -n {self.namespace} -f -", given=manifest)
        self._kubectl(f"rollout status deploy/shop -n {self.namespace} --timeout=60s")
        return self

    def __exit__(self, *failure: object) -> None:
        self._kubectl(f"delete namespace {self.namespace} --wait=false")

    @property
    def break_command(self) -> str:
        """The shell command that breaks the Deployment and waits until its rollout is stuck."""
        image = self._sandbox.image("app", "missing")
        set_image = f"{self.kubectl} set image deploy/shop app={image} -n {self.namespace}"
        stuck = (
            f"{self.kubectl} wait deploy/shop -n {self.namespace} --timeout=60s "
            "--for=jsonpath={.status.unavailableReplicas}=1"
        )
        return f"{set_image} && {stuck}"

    def break_now(self) -> None:
        """Break the Deployment."""
        subprocess.run(["sh", "-c", self.break_command], check=True, stdout=subprocess.DEVNULL)

    def scale(self, replicas: int) -> None:
        """Roll to a second revision that works, and wait until so many Pods of it are up."""
        image = self._sandbox.image("app", "v2")
        self._kubectl(f"set image deploy/shop app={image} -n {self.namespace}")
        self._kubectl(f"scale deploy/shop --replicas={replicas} -n {self.namespace}")
        self._kubectl(f"rollout status deploy/shop -n {self.namespace} --timeout=60s")

    @contextmanager
    def full(self, count: int) -> Iterator[str]:
        """Give a namespace with so many Deployments of no Pods and two revisions each."""
        namespace = f"{self.namespace}-full"
        self._kubectl(f"delete namespace {namespace} --ignore-not-found --timeout=120s")
        self._kubectl(f"create namespace {namespace}")
        try:
            for revision, tag in ((1, "v1"), (2, "v2")):
                image = self._sandbox.image("app", tag)
                given = json.dumps(
                    {
                        "apiVersion": "v1",
                        "kind": "List",
                        "items": [_idle(f"shop-{i:03}", image) for i in range(count)],
                    }
                )
                self._kubectl(f"apply -n {namespace} -f -", given=given)
                self._kubectl(
                    f"wait deploy --all -n {namespace} --timeout=300s --for=jsonpath="
                    f"'{{.metadata.annotations.deployment\\.kubernetes\\.io/revision}}'={revision}"
                )
            yield namespace
        finally:
            self._kubectl(f"delete namespace {namespace} --wait=false")

    def _kubectl(self, arguments: str, *, given: str = "") -> None:
        command = [self.kubectl, *shlex.split(arguments)]
        subprocess.run(command, input=given, text=True, check=True, stdout=subprocess.DEVNULL)


def _idle(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
