"""The programs of tools that own workloads; `python -m tests.cluster.owner_programs` builds them.

They are built before the tests, not by them: cold, each takes minutes, and a test has a time-out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.progress import long_step
from tests.cluster.go_tools import built, installed

if TYPE_CHECKING:
    from pathlib import Path

ROLLOUTS = "github.com/argoproj/argo-rollouts@v1.10.0"
# From 3.3 on it needs a module beside it that is no part of what Go's proxy gives out.
ARGO_CD = "github.com/argoproj/argo-cd/v3@v3.2.6"
# OpenShift's client has no versions of its module.
OC = "github.com/openshift/oc@v0.0.0-alpha.0.0.20250108103617-ae1bd9e4a75b"


def helm() -> Path:
    """Helm."""
    return installed("helm.sh/helm/v4/cmd/helm@v4.3.1")


def flux() -> Path:
    """Flux' client."""
    module = "github.com/fluxcd/flux2/v2@v2.9.5"
    return built(module, "cmd/flux", missing="cmd/flux/manifests/none.yaml")


def kapp() -> Path:
    """Carvel's kapp."""
    return built("carvel.dev/kapp@v0.64.2", "cmd/kapp")


def oc() -> Path:
    """OpenShift's client."""
    return built(OC, "cmd/oc", tags="containers_image_openpgp")


def rollouts_plugin() -> Path:
    """Argo Rollouts' plugin of kubectl."""
    return built(ROLLOUTS, "cmd/kubectl-argo-rollouts")


def rollouts_controller() -> Path:
    """Argo Rollouts' controller."""
    return built(ROLLOUTS, "cmd/rollouts-controller")


def argo_cd() -> Path:
    """Argo CD: client, controller and servers in one."""
    return built(ARGO_CD, "cmd", name="argocd")


def main() -> None:
    """Build them all, and say what takes so long."""
    for one in (helm, flux, kapp, oc, rollouts_plugin, rollouts_controller, argo_cd):
        with long_step(f"building {one.__name__.replace('_', ' ')}"):
            one()


if __name__ == "__main__":
    main()
