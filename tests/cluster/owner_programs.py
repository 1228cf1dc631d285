"""The programs of tools that own workloads; `python -m tests.cluster.owner_programs` builds them.

They are built before the tests, not by them: cold, each takes minutes, and a test has a time-out.
With `--are-built` nothing is built: exit 0 where all are there already.
"""

from __future__ import annotations

import sys

from sandbox.progress import long_step
from tests.cluster.go_tools import Program

HELM = Program(module="helm.sh/helm/v4@v4.3.1", package="cmd/helm", is_copied=False)
FLUX = Program(
    module="github.com/fluxcd/flux2/v2@v2.9.5",
    package="cmd/flux",
    missing="cmd/flux/manifests/none.yaml",
)
FLUX_CONTROLLER = Program(
    module="github.com/fluxcd/kustomize-controller@v1.9.5",
    package=".",
    name="kustomize-controller",
    beside="github.com/fluxcd/kustomize-controller/api",
)
FLUX_SOURCES = "github.com/fluxcd/source-controller@v1.9.5"
KAPP = Program(module="carvel.dev/kapp@v0.64.2", package="cmd/kapp")
# OpenShift's client has no versions of its module.
OC = Program(
    module="github.com/openshift/oc@v0.0.0-alpha.0.0.20250108103617-ae1bd9e4a75b",
    package="cmd/oc",
    tags="containers_image_openpgp",
)
ROLLOUTS_PLUGIN = Program(
    module="github.com/argoproj/argo-rollouts@v1.10.0", package="cmd/kubectl-argo-rollouts"
)
ROLLOUTS_CONTROLLER = Program(module=ROLLOUTS_PLUGIN.module, package="cmd/rollouts-controller")
# Client, controller and servers in one. From 3.3 on it needs a module beside it that is no part of
# what Go's proxy gives out.
ARGO_CD = Program(module="github.com/argoproj/argo-cd/v3@v3.2.6", package="cmd", name="argocd")
ALL = (HELM, FLUX, FLUX_CONTROLLER, KAPP, OC, ROLLOUTS_PLUGIN, ROLLOUTS_CONTROLLER, ARGO_CD)


def main() -> None:
    """Build them all, and say what takes so long."""
    if sys.argv[1:] == ["--are-built"]:
        sys.exit(not all(one.path.exists() for one in ALL))
    for one in ALL:
        with long_step(f"building {one.path.name}"):
            one.built()


if __name__ == "__main__":
    main()
