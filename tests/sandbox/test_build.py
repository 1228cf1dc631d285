from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sandbox import build, versions
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from pathlib import Path


OTHERS = sorted(versions.MODULE.glob("versions/*/go.mod"))


@pytest.fixture
def module(tmp_path: Path) -> build.Module:
    (tmp_path / "go.mod").write_text("module m\n")
    (tmp_path / "main.go").write_text("package main\n")
    return build.Module(tmp_path, tmp_path / "go.mod")


def test_the_hash_follows_the_text_of_the_sources(module: build.Module) -> None:
    before = module.hash

    assert module.hash == before
    (module.folder / "main.go").write_text("package main // changed\n")
    assert module.hash != before


def test_what_is_not_source_does_not_change_the_hash(module: build.Module) -> None:
    before = module.hash
    (module.folder / "notes.txt").write_text("text")

    assert module.hash == before


def test_another_version_is_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(versions.VARIABLE, raising=False)
    default = build.modules()[0]
    monkeypatch.setenv(versions.VARIABLE, OTHERS[0].parent.name)

    other = build.modules()[0]
    assert (other.folder, other.file) == (default.folder, OTHERS[0])
    assert other.hash != default.hash


def test_a_version_that_is_not_here_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(versions.VARIABLE, "1.2")

    with pytest.raises(SandboxError, match=r"no Kubernetes 1\.2 here: .* may be 1\.34, 1\."):
        build.modules()


def test_a_binary_that_is_there_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKOUT_SANDBOX_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")  # so that any call of go would fail
    for module in build.modules():
        (tmp_path / f"{module.folder.name}-{module.hash}").touch()

    assert build.binaries().kubernetes.parent == tmp_path


def test_the_version_is_stamped_from_go_mod() -> None:
    flags = build._version_flags("module m\n\nrequire (\n\tk8s.io/kubernetes v1.34.4\n)\n")

    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=34" in flags


@pytest.mark.parametrize(
    "file", [versions.MODULE / "go.mod", *OTHERS], ids=lambda file: str(file.parent.name)
)
def test_the_module_pins_each_staging_module_to_the_version_of_kubernetes(file: Path) -> None:
    text = file.read_text()
    [minor] = re.findall(r"^\tk8s\.io/kubernetes v1\.(\S+)$", text, re.MULTILINE)
    replaced = [line.split()[-1] for line in text.splitlines() if " => k8s.io/" in line]

    assert len(replaced) > 25
    assert set(replaced) == {f"v0.{minor}"}
