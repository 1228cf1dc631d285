"""Where the parts of a sandbox lie in its state folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.certificates import Certificates

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths only: nothing is read or written here."""

    state: Path

    @property
    def certificates(self) -> Certificates:
        """Return the keys and certificates."""
        return Certificates(self.state / "certificates")

    @property
    def program(self) -> Path:
        """Return the binary of all of Kubernetes: a copy, so that no cache is needed."""
        return self.state / "bin" / "kubernetes"

    @property
    def config(self) -> Path:
        """Return the folder of configuration files."""
        return self.state / "config"

    @property
    def containerd(self) -> Path:
        """Return the folder of containerd."""
        return self.state / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """Return where containerd answers."""
        return self.containerd / "containerd.sock"

    @property
    def audit_log(self) -> Path:
        """Return the API server's audit log."""
        return self.state / "audit.log"

    def kubeconfig(self, user: str) -> Path:
        """Return a component's own kubeconfig."""
        return self.config / f"{user.replace(':', '-')}.kubeconfig"

    def kubernetes(self, component: str, *flags: str) -> tuple[str, ...]:
        """Return the arguments that run a component of the one binary."""
        return (str(self.program), component, *flags)

    @property
    def user_kubeconfig(self) -> Path:
        """Return the kubeconfig for people and tests."""
        return self.state / "kubeconfig"

    @property
    def kubectl(self) -> Path:
        """Return the pinned kubectl."""
        return self.state / "bin" / "kubectl"

    @property
    def targets(self) -> Path:
        """Return the program that tells Prometheus which Pods to ask."""
        return self.state / "bin" / "prometheus-targets"

    @property
    def layer(self) -> Path:
        """Return the layer that all images of the sample application share."""
        return self.state / "layer.tar"

    @property
    def kernel_settings(self) -> Path:
        """Return the kernel settings as they were before."""
        return self.state / "kernel.json"

    def log(self, component: str) -> Path:
        """Return where a component's output goes."""
        return self.state / "logs" / f"{component}.log"

    def record(self, component: str) -> Path:
        """Return where a component's identity is recorded."""
        return self.state / "run" / f"{component}.json"
