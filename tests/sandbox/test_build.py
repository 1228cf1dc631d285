from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import build
from sandbox.folders import SOURCES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "go.mod").write_text("module m\n\nrequire (\n\tk8s.io/kubernetes v1.34.4\n)\n")
    (tmp_path / "main.go").write_text("package main\n")
    return tmp_path


def test_the_hash_follows_the_text_of_the_sources(module: Path) -> None:
    before = build.source_hash(module)

    assert build.source_hash(module) == before
    (module / "main.go").write_text("package main // changed\n")
    assert build.source_hash(module) != before


def test_what_is_not_source_does_not_change_the_hash(module: Path) -> None:
    before = build.source_hash(module)
    (module / "notes.txt").write_text("text")

    assert build.source_hash(module) == before


def test_a_binary_that_is_there_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKOUT_SANDBOX_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")  # so that any call of go would fail
    for name in ("kubernetes", "app"):
        (tmp_path / f"{name}-{build.source_hash(SOURCES / name)}").touch()

    assert build.binaries().kubernetes.parent == tmp_path


def test_the_version_is_stamped_from_go_mod(module: Path) -> None:
    flags = build._version_flags(module)

    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=34" in flags


def test_the_module_pins_each_staging_module_to_the_version_of_kubernetes() -> None:
    text = (SOURCES / "kubernetes/go.mod").read_text()
    replaced = [line.split()[-1] for line in text.splitlines() if " => k8s.io/" in line]

    assert len(replaced) > 25
    assert set(replaced) == {"v0.34.4"}
