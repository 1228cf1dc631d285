"""The real controller of Argo Rollouts beside ours: a Deployment whose template it takes."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cluster import owner_programs
from tests.cluster.command import Running, accepting, run
from tests.cluster.definitions import applied
from tests.cluster.go_tools import sources
from tests.cluster.manifests import SHOP
from tests.cluster.owners.test_owners import remedy
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.api import Object
    from tests.cluster.space import Space

pytestmark = pytest.mark.owner_tools

NAME = "storefront"
API = "argoproj.io/v1alpha1"


@pytest.fixture(scope="session")
def plugin() -> Path:
    return owner_programs.ROLLOUTS_PLUGIN.built()


@pytest.fixture(scope="session")
def controller() -> Path:
    return owner_programs.ROLLOUTS_CONTROLLER.built()


@contextmanager
def controlled(space: Space, controller: Path) -> Iterator[None]:
    ports = ("--metricsPort", "0", "--healthzPort", "0", "--leader-elect=false")
    argv = [str(controller), "--namespaced", "--namespace", space.name, *ports]
    running = Running(argv, space.environment, space.folder)
    try:
        yield
    finally:
        running.send(signal.SIGTERM)
        running.ended()


@pytest.fixture
def taken(space: Space, controller: Path) -> Space:
    """A Rollout runs the Pods of the shop's template; revision 2 of it is broken."""
    crds = sources(owner_programs.ROLLOUTS_PLUGIN.module) / "manifests" / "crds"
    space.until_closed(applied(space, crds, f"/apis/{API}/rollouts"))
    space.until_closed(controlled(space, controller))
    space.deploy(space.version("v1"))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": SHOP}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": SHOP}},
        "workloadRef": reference,
        "strategy": {"canary": {}},
    }
    body = {"apiVersion": API, "kind": "Rollout", "metadata": {"name": NAME}, "spec": spec}
    space.api.call("POST", f"/apis/{API}/namespaces/{space.name}/rollouts", body)
    until("the Rollout runs revision 1", lambda: runs(space, "v1"))
    space.roll(space.version("missing"))
    until("the Rollout has taken revision 2", lambda: asked(space, "missing"))
    return space


def rollout(space: Space) -> Object:
    path = f"/apis/{API}/namespaces/{space.name}/rollouts/{NAME}"
    found: Object = space.api.call("GET", path)
    return found


def runs(space: Space, tag: str) -> bool:
    return rollout(space).get("status", {}).get("phase") == "Healthy" and asked(space, tag)


def asked(space: Space, tag: str) -> bool:
    """Tell whether the Rollout's own newest ReplicaSet is of this image."""
    newest = rollout(space).get("status", {}).get("currentPodHash")
    return any(
        rs["metadata"]["labels"].get("rollouts-pod-template-hash") == newest
        and rs["spec"]["template"]["spec"]["containers"][0]["image"] == space.image(tag)
        for rs in space.every("ReplicaSet")
    )


def test_the_line_of_argo_rollouts_brings_both_back(taken: Space, plugin: Path) -> None:
    line = remedy(taken, "PF401", 3).removeprefix("roll back with its own tool: ")
    path = f"{plugin.parent}{os.pathsep}{taken.environment['PATH']}"
    run(["bash", "-c", line], {**taken.environment, "PATH": path}).expect(0)

    assert taken.image_now() == taken.image("v1")
    until("the Rollout runs revision 1 again", lambda: runs(taken, "v1"))


def test_an_undo_starts_a_rollout_of_its_own_as_was_said(taken: Space) -> None:
    refused = taken.undo().expect(3)
    assert f"Argo Rollouts ({NAME}) owns deployment/{SHOP} and starts a rollout" in refused.err

    taken.undo(*accepting("PF401")).expect(0)
    until("the Rollout took the template over", lambda: asked(taken, "v1"))
