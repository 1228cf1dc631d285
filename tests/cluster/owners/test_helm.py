"""A release of the real Helm: its own way back as we print it, and what its next upgrade does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster import owner_programs
from tests.cluster.command import run
from tests.cluster.manifests import SHOP, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.command import Ran
    from tests.cluster.space import Space

pytestmark = pytest.mark.owner_tools

RELEASE = "corner-shop"
OWN_WAY = "with its own tool: "


@pytest.fixture(scope="session")
def helm() -> Path:
    return owner_programs.HELM.built()


class Release:
    """One chart with the shop in it, released with the image of a tag."""

    def __init__(self, space: Space, helm: Path, folder: Path) -> None:
        self._space, self._chart = space, folder / "chart"
        homes = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        path = f"{helm.parent}{os.pathsep}{space.environment['PATH']}"
        self._environment = {**space.environment, **homes, "PATH": path}
        (self._chart / "templates").mkdir(parents=True)
        about = {"apiVersion": "v2", "name": SHOP, "version": "0.1.0"}
        (self._chart / "Chart.yaml").write_text(yaml.safe_dump(about))
        made = deployment(space.version(image="{{ .Values.image }}"))
        (self._chart / "templates" / "shop.yaml").write_text(yaml.safe_dump(made))

    def put(self, verb: str, tag: str, *words: str) -> Ran:
        image = f"image={self._space.image(tag)}"
        argv = ["helm", verb, RELEASE, str(self._chart), "-n", self._space.name, "--set", image]
        return run([*argv, *words], self._environment)

    def pasted(self, line: str) -> Ran:
        return run(["bash", "-c", line], self._environment)


@pytest.fixture
def release(space: Space, helm: Path, tmp_path: Path) -> Release:
    """Revision 1 is well, revision 2 names an image that is not there."""
    made = Release(space, helm, tmp_path / "helm")
    made.put("install", "v1", "--wait", "--timeout", "60s").expect(0)
    made.put("upgrade", "never-pushed").expect(0)
    space.observed()
    return made


def test_helms_own_way_is_pasted_as_printed_and_corrects_the_release(
    space: Space, release: Release
) -> None:
    ran = space.backout("check", f"deploy/{SHOP}").expect(0)
    assert f"Helm ({RELEASE}) deployed deployment/{SHOP}" in ran.out
    release.pasted(ran.out.partition(OWN_WAY)[2].splitlines()[0]).expect(0)

    assert space.image_now() == space.image("v1")
    space.backout("status", f"deploy/{SHOP}", "--timeout", "60s").expect(0)
    release.put("upgrade", "v2").expect(0)
    assert space.image_now() == space.image("v2")


def test_after_an_undo_the_next_upgrade_meets_no_conflict_and_brings_its_own_template(
    space: Space, release: Release
) -> None:
    ran = space.undo().expect(0)
    assert "a corrected deploy works as usual: the fields that change are handed back" in ran.err

    release.put("upgrade", "v2").expect(0)
    assert space.image_now() == space.image("v2")


def test_without_healing_the_next_upgrade_stops_at_a_conflict_as_was_said(
    space: Space, release: Release
) -> None:
    ran = space.undo("--no-heal").expect(0)
    assert "a corrected deploy would meet a conflict with backout" in ran.err

    stopped = release.put("upgrade", "v2")
    assert stopped.code
    assert 'conflict with "backout"' in stopped.err
    assert space.image_now() == space.image("v1")
    release.put("upgrade", "v2", "--force-conflicts").expect(0)
    assert space.image_now() == space.image("v2")
