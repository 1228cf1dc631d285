"""Installed as people install tools: `uv tool install` and `pipx install`."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import (
    PROGRAMS,
    constraints,
    run,
    tells_its_version,
    uv,
    wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

PIPX = "pipx>=1.8,<2"


@pytest.mark.slow
def test_uv_tool_installs_the_three_programs_and_removes_them(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(programs)}
    how = ("--quiet", "--python", sys.executable, "--constraints", constraints(tmp_path))
    run(uv(), "tool", "install", *how, wheel(), more=places)

    assert sorted(p.name for p in programs.iterdir()) == sorted(PROGRAMS)
    assert tells_its_version(programs / "backout")
    assert tells_its_version(programs / "kubectl-backout")
    assert run(programs / "kubectl_complete-backout", "und") == "undo\n:4\n"

    run(uv(), "tool", "uninstall", "--quiet", "backout", more=places)
    assert list(programs.iterdir()) == []


@pytest.mark.slow
def test_pipx_installs_the_three_programs(tmp_path: Path) -> None:
    pipx = tmp_path / "pipx"
    run(uv(), "venv", "--quiet", "--python", sys.executable, pipx)
    run(uv(), "pip", "install", "--quiet", "--python", pipx / "bin" / "python", PIPX)
    programs = tmp_path / "bin"
    places = {
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(programs),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }
    how = f"--pip-args=--constraint {constraints(tmp_path)}"
    run(pipx / "bin" / "pipx", "install", "--quiet", how, wheel(), more=places)

    assert sorted(p.name for p in programs.iterdir()) == sorted(PROGRAMS)
    assert tells_its_version(programs / "backout")


def test_the_programs_are_found_on_the_path_by_their_names(bare: Path) -> None:
    where = str(bare / "bin")

    assert all(shutil.which(name, path=where) for name in PROGRAMS)
