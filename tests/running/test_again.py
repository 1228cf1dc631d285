from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
CONFIGURED = """
[tool.pytest]
strict = true
addopts = ["-ra"]
markers = ["never_again: a failure is a finding"]
"""
STARTS = """
import os, pathlib, pytest

def fails_among_many(name):
    if "PYTEST_XDIST_WORKER" in os.environ:
        raise AssertionError(f"{name} met the others")

def fails(name):
    raise AssertionError(f"{name} is broken")

@pytest.fixture
def left_behind():
    yield
    fails_among_many("the end")
"""
FLAKY = "def test_flaky_{0}():\n    fails_among_many('flaky {0}')\n"
BROKEN = "def test_broken_{0}():\n    fails('broken {0}')\n"
GOOD = "def test_good():\n    pass\n"
UNTIDY = "def test_untidy(left_behind):\n    pass\n"
RACE = "@pytest.mark.never_again\ndef test_race():\n    fails_among_many('race')\n"
CRASH = "def test_crash():\n    if 'PYTEST_XDIST_WORKER' in os.environ: os._exit(1)\n"


@dataclass(frozen=True)
class Told:
    code: int
    lines: list[str]

    @property
    def flaky(self) -> list[str]:
        return [s.removeprefix("flaky: ") for s in self.lines if s.startswith("flaky: ")]

    @property
    def again(self) -> list[str]:
        """What was run once more."""
        return [s.strip("= ").rpartition("::")[2] for s in self.lines if "once more, alone" in s]

    @property
    def closing(self) -> str:
        """Pytest's closing line, without the time."""
        return self.lines[-1].strip("= ").partition(" in ")[0]


def ran(folder: Path, *tests: str, workers: tuple[str, ...] = ("-p", "xdist", "-n", "2")) -> Told:
    (folder / "pyproject.toml").write_text(CONFIGURED)
    (folder / "test_it.py").write_text("\n".join([STARTS, *tests]))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *workers, "-p", "tests.running.again"],
        cwd=folder,
        env={**kept, **ALONE, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Told(done.returncode, done.stdout.splitlines())


def test_what_fails_among_many_and_passes_alone_is_listed_and_forgiven(tmp_path: Path) -> None:
    told = ran(tmp_path, GOOD, FLAKY.format(1), UNTIDY)

    assert told.code == 0
    assert told.closing == "2 passed, 2 flaky"
    assert sorted(told.flaky) == ["test_it.py::test_flaky_1", "test_it.py::test_untidy"]
    assert sorted(told.again) == ["test_flaky_1", "test_untidy"]
    assert any("flaky 1 met the others" in line for line in told.lines), "its first failure is told"


def test_what_fails_alone_as_well_fails_the_run_and_a_race_is_never_run_again(
    tmp_path: Path,
) -> None:
    told = ran(tmp_path, GOOD, BROKEN.format(1), FLAKY.format(1), RACE)

    assert told.code == 1
    assert told.closing == "2 failed, 1 passed, 1 flaky"
    assert told.flaky == ["test_it.py::test_flaky_1"]
    assert sorted(told.again) == ["test_broken_1", "test_flaky_1"]


def test_three_flaky_tests_fail_the_run_one_that_kills_its_worker_included(tmp_path: Path) -> None:
    told = ran(tmp_path, GOOD, FLAKY.format(1), FLAKY.format(2), CRASH)

    assert told.code == 1
    assert told.closing == "3 failed, 1 passed"
    assert len(told.flaky) == 3


def test_where_too_much_fails_nothing_is_run_again(tmp_path: Path) -> None:
    told = ran(tmp_path, GOOD, *(BROKEN.format(n) for n in range(10)))

    assert (told.code, told.closing, told.again) == (1, "10 failed, 1 passed", [])


def test_without_workers_nothing_is_run_again(tmp_path: Path) -> None:
    told = ran(tmp_path, GOOD, BROKEN.format(1), workers=())

    assert (told.code, told.closing, told.again) == (1, "1 failed, 1 passed", [])
