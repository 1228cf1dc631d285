"""Where the built wheel is, and how environments are made of it, as users make them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("backout", "kubectl-backout", "kubectl_complete-backout")
LONGEST = 120.0


def wheel() -> Path:
    found = sorted((ROOT / "build" / "wheel").glob("*.whl"))
    if len(found) != 1:
        pytest.fail("build/wheel must hold one wheel: run `make wheel`", pytrace=False)
    return found[0]


def uv() -> str:
    for place in (Path(sys.executable).with_name("uv"), ROOT / ".venv" / "bin" / "uv"):
        if place.exists():
            return str(place)
    pytest.fail("uv is not there: run `make wheel`", pytrace=False)


def developer_python() -> str:
    """Return the Python that has hatchling, pinned like everything else."""
    found = ROOT / ".venv" / "bin" / "python"
    if not found.exists():
        pytest.fail(".venv is not there: run `make check`", pytrace=False)
    return str(found)


def surroundings() -> dict[str, str]:
    """Return our environment without what would lead to the sources or to another environment."""
    ours = {"PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV", "KUBECONFIG"}
    kept = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("BACKOUT_")}
    return {**kept, "KUBECONFIG": "/nowhere/config"}


def run(*argv: str | Path, cwd: Path | None = None, more: dict[str, str] | None = None) -> str:
    """Return what the program printed; a failure of it is one of the test, with its words."""
    done = subprocess.run(
        [str(word) for word in argv],
        env=surroundings() | (more or {}),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def make_bare(folder: Path) -> None:
    """Make an environment of the locked runtime dependencies, hashes checked, and the wheel."""
    python = folder / "bin" / "python"
    locked = ROOT / "requirements" / "runtime.txt"
    run(uv(), "venv", "--quiet", "--python", sys.executable, folder)
    run(uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", python, locked)
    run(uv(), "pip", "install", "--quiet", "--no-deps", "--python", python, wheel())


def constraints(folder: Path) -> Path:
    """Write the locked versions without their hashes: installers of tools take a wheel by path."""
    file = folder / "constraints.txt"
    locked = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    file.write_text("\n".join(s.partition(" \\")[0] for s in locked if "==" in s) + "\n")
    return file


def tells_its_version(program: Path) -> bool:
    """Check a program's `--help` and `--version`; no server can be asked."""
    version = wheel().name.split("-")[1]
    called = program.name.replace("kubectl-", "kubectl ")
    assert run(program, "--help").startswith(f"Usage: {called} [OPTIONS]")
    assert run(program, "--version") == f"backout {version}\n"
    assert f"backout {version}\nPython 3." in run(program, "version")
    return True
