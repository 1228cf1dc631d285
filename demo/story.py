"""Two bad deploys in a row: the commonest case at 3 a.m., and the one that kubectl gets wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.shell import Shell

NAMESPACE = "backout-demo"
MANIFEST = Path(__file__).with_name("shop.yaml")


def story(shell: Shell, image: Callable[[str], str]) -> None:
    """Break a Deployment twice, roll it back, and see it answer; raises DemoError.

    `image` makes the image's name of its tag.
    """
    _deploy(shell, image("v1"))
    shell.say("The sandbox's registry speaks plain HTTP, as few others do.")
    shell.export("BACKOUT_REGISTRY_PLAIN_HTTP", image("v1").partition("/")[0])
    try:
        _break(shell, image("v2-tpyo"), image("v3-hasty"))
        _undo(shell)
        _again(shell)
    finally:
        shell.quietly(f"kubectl delete namespace {NAMESPACE} --wait=false")


def _deploy(shell: Shell, image: str) -> None:
    shell.quietly(f"kubectl delete namespace {NAMESPACE} --ignore-not-found --timeout=60s")
    shell.quietly(f"kubectl create namespace {NAMESPACE}")
    shell.quietly(f"kubectl config set-context --current --namespace={NAMESPACE}")
    shell.quietly("kubectl apply -f -", given=MANIFEST.read_text().replace("IMAGE", image))
    shell.quietly("kubectl rollout status deploy/shop --timeout=60s")


def _break(shell: Shell, missing: str, crashing: str) -> None:
    shell.say("A deploy with a typo in its tag, then a hasty fix that crashes.")
    shell.show(f"kubectl set image deploy/shop app={missing}")
    shell.quietly("kubectl rollout status deploy/shop --timeout=3s --watch=false")
    shell.show(f"kubectl set image deploy/shop app={crashing}")
    shell.show(
        "kubectl rollout status deploy/shop --timeout=6s",
        expect=1,
        contains=("timed out waiting for the condition",),
    )
    shell.show("kubectl get pods", contains=("shop-",))


def _undo(shell: Shell) -> None:
    shell.say("kubectl rollout undo would go to revision 2, the typo.")
    shell.show(
        "backout undo deploy/shop --yes",
        contains=(
            "kubectl rollout undo would go to revision 2",
            "rollback triggered for deployment/shop to revision=1, traceID=",
            'deployment "shop" successfully rolled out',
            "healthy",
        ),
    )
    shell.show(
        f"kubectl get --raw /api/v1/namespaces/{NAMESPACE}/services/shop:web/proxy/version",
        contains=("v1",),
    )


def _again(shell: Shell) -> None:
    shell.say("A second undo goes no further back by itself.")
    shell.show(
        "backout undo deploy/shop --yes", expect=3, contains=("already rolled back to revision 1",)
    )
    shell.say("Whoever names the typo is told that it cannot start.")
    shell.show(
        "backout undo deploy/shop --to-revision 2 --yes",
        expect=3,
        contains=("PF301", "Nothing was changed"),
    )
