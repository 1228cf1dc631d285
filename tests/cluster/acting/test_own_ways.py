"""Owners' own ways as we print them, pasted with the programs that they name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster import owner_programs
from tests.cluster.checks.test_remedies import check
from tests.cluster.command import run
from tests.cluster.manifests import deployment
from tests.cluster.owners.test_owners import own, remedy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.command import Ran
    from tests.cluster.space import Space

pytestmark = pytest.mark.owner_tools


def pasted(space: Space, line: str, program: Path, **more: str) -> Ran:
    path = f"{program.parent}{os.pathsep}{space.environment['PATH']}"
    return run(["bash", "-c", line], {**space.environment, "PATH": path, **more})


def broken(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))


@pytest.mark.parametrize(
    ("group", "kind", "version", "spec"),
    [
        ("kustomize.toolkit.fluxcd.io", "Kustomization", "v1", {}),
        ("helm.toolkit.fluxcd.io", "HelmRelease", "v2", {"driftDetection": {"mode": "enabled"}}),
    ],
)
def test_what_flux_would_put_back_is_suspended_by_its_line_and_blocks_no_more(
    space: Space, group: str, kind: str, version: str, spec: dict[str, object]
) -> None:
    own(space, group, kind, "apps", spec, version=version)
    broken(space)
    labels = {f"{group}/name": "apps", f"{group}/namespace": space.name}
    space.merge({"metadata": {"labels": labels}})
    line = remedy(space, "PF401", 3).removeprefix("roll back with its own tool: ")
    pasted(space, line, owner_programs.FLUX.built()).expect(0)

    assert "PF401" not in check(space).expect(0).findings()
    assert "flux suspend" in remedy(space, "PF403", 0)
    space.undo().expect(0)
    assert space.image_now() == space.image("v1")


def test_the_line_of_openshift_pauses_the_trigger_and_blocks_no_more(space: Space) -> None:
    broken(space)
    source = {"kind": "ImageStreamTag", "name": "shop:latest"}
    field = 'spec.template.spec.containers[?(@.name=="app")].image'
    triggers = [{"from": source, "fieldPath": field}]
    noted = {"image.openshift.io/triggers": json.dumps(triggers)}
    space.merge({"metadata": {"annotations": noted}})
    line = remedy(space, "PF401", 3).removeprefix("roll back with its own tool: ")
    pasted(space, line, owner_programs.OC.built()).expect(0)
    assert "PF401" not in check(space).expect(0).findings()
    pasted(space, line.replace("--manual", "--auto"), owner_programs.OC.built()).expect(0)
    assert remedy(space, "PF401", 3).endswith(line)

    pasted(space, line, owner_programs.OC.built()).expect(0)
    space.undo().expect(0)
    assert space.image_now() == space.image("v1")


def test_the_line_of_kapp_deploys_the_manifests_of_before_to_the_same_app(
    space: Space, tmp_path: Path
) -> None:
    manifests = tmp_path / "shop.yaml"

    def deploy(tag: str, line: str) -> Ran:
        manifests.write_text(yaml.safe_dump(deployment(space.version(tag))))
        return pasted(
            space, f"yes | {line}", owner_programs.KAPP.built(), KAPP_NAMESPACE=space.name
        )

    deploy("v1", f"kapp deploy -a corner-shop -f {manifests}").expect(0)
    deploy("missing", f"kapp deploy -a corner-shop -f {manifests} --wait=false").expect(0)
    words = remedy(space, "PF403", 0)
    line = words.partition("with its own tool: ")[2]
    assert line.endswith(" -f the manifests as they were before")
    deploy("v1", line.replace("the manifests as they were before", str(manifests))).expect(0)

    space.rolled_out()
    assert space.image_now() == space.image("v1")
