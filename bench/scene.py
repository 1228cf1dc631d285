"""A Deployment whose rollout is stuck while its old Pods still run: the commonest case."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
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

    def _kubectl(self, arguments: str, *, given: str = "") -> None:
        command = [self.kubectl, *shlex.split(arguments)]
        subprocess.run(command, input=given, text=True, check=True, stdout=subprocess.DEVNULL)
