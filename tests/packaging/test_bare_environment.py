"""The wheel with exactly its locked runtime dependencies: all that users get, and all it needs."""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import PROGRAMS, run, surroundings, tells_its_version, uv, wheel
from tests.packaging.requirements import pinned

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = {
    "aiohappyeyeballs",
    "click",
    "h11",
    "msgspec",
    "python_socks",
    "rich",
    "truststore",
    "yaml",
}
EXTRAS = {"jinja2"}
LATE = {"python_socks", "rich", "truststore"}
"""Imported only where there is such a proxy, such a terminal or such a platform."""
IMPORT_ALL = """
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("error")
import backout
for module in pkgutil.walk_packages(backout.__path__, "backout."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("program", PROGRAMS[:2])
def test_the_installed_programs_tell_help_and_version(bare: Path, program: str) -> None:
    assert tells_its_version(bare / "bin" / program)


def test_python_m_backout_is_the_same_program(bare: Path) -> None:
    python = bare / "bin" / "python"

    assert run(python, "-m", "backout", "--help") == run(bare / "bin" / "backout", "--help")


def test_the_program_for_kubectls_completion_answers(bare: Path) -> None:
    assert run(bare / "bin" / "kubectl_complete-backout", "und") == "undo\n:4\n"


def test_a_kubeconfig_is_needed_to_act_and_none_to_ask_for_the_version(bare: Path) -> None:
    said = run(bare / "bin" / "backout", "version")

    assert "server not asked: " in said
    assert "/nowhere/config" in said


def test_nothing_is_installed_but_backout_and_what_is_locked(bare: Path) -> None:
    python = bare / "bin" / "python"
    listed = json.loads(run(uv(), "pip", "list", "--format", "json", "--python", python))

    locked = {p.name: p.version for p in pinned("runtime") if p.is_for(sys.version_info)}
    ours = {"backout": wheel().name.split("-")[1]}
    assert {p["name"]: p["version"] for p in listed} == locked | ours
    run(uv(), "pip", "check", "--python", python)


def test_every_module_can_be_imported_and_imports_nothing_else(bare: Path) -> None:
    loaded = set(json.loads(run(bare / "bin" / "python", "-I", "-c", IMPORT_ALL)))

    others = loaded - set(sys.stdlib_module_names) - {"backout", "__main__", "__mp_main__"}
    assert others >= DECLARED - LATE
    assert not others & {"pytest", "hypothesis", "trustme", "cryptography", "uv", "pip"}


def test_the_sources_import_only_what_is_declared() -> None:
    imported = set()
    with zipfile.ZipFile(wheel()) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                imported |= set(imports(ast.parse(archive.read(name))))

    assert imported - set(sys.stdlib_module_names) - {"backout"} == DECLARED | EXTRAS


def imports(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.append(str(node.module))
    return [name.partition(".")[0] for name in found]


def test_the_tests_themselves_do_not_lead_it_to_the_sources() -> None:
    assert "PYTHONPATH" not in surroundings()
