"""Each check id is triggered by a test and clean in another; its family is seen on a cluster."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from backout.core.checks import CHECKS
from backout.core.model import Severity
from backout.core.plan.selection import CHOICES

TESTS = Path(__file__).parents[1]
ID = re.compile(r"PF\d{3}")
CORE = ("tests/core/checks", "tests/core/plan/test_plan.py", "tests/core/ledger/test_foreign.py")
IDS = sorted(c.id for c in (*CHOICES, *CHECKS))


@cache
def named_in(folder: str, pattern: str = "**/test_*.py") -> dict[str, set[str]]:
    """Return the ids that each test of a folder names, or the tables that it is made from.

    Strings only: a comment tests nothing.
    """
    found: dict[str, set[str]] = {}
    for file in (TESTS / folder).glob(pattern):
        tree = ast.parse(file.read_text())
        tables = {
            name: _ids(statement)
            for statement in tree.body
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            for name in _targets(statement)
        }
        for function in tree.body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
                ids = _ids(function).union(*(tables[n] for n in used & tables.keys()))
                if function.name.startswith("test_"):
                    found[f"{file.name}::{function.name}"] = ids
    return found


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [t.id for t in targets if isinstance(t, ast.Name)]


def _ids(tree: ast.AST) -> set[str]:
    texts = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
    return {i for t in texts if isinstance(t, str) for i in ID.findall(t)}


@pytest.mark.slow
def test_each_check_finds_something_in_a_core_test_and_nothing_in_another(tmp_path: Path) -> None:
    """Recorded, not read: a test that names an id and never triggers it counts for nothing."""
    file = tmp_path / "recording.json"
    quick = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.core.recording")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", *quick, *CORE),
        cwd=TESTS.parent,
        env={**os.environ, "BACKOUT_TEST_RECORDING": str(file)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    told = json.loads(file.read_text())

    assert set(IDS) - set(told["triggered"]) == set()
    assert {c.id for c in CHECKS} - set(told["clean"]) == set()


@pytest.mark.parametrize("family", sorted({i[:3] for i in IDS}))
def test_each_family_is_named_by_a_test_on_the_cluster(family: str) -> None:
    ids = {i for i in IDS if i.startswith(family)}

    assert [test for test, named in named_in("cluster").items() if named & ids]


def gone_on_with() -> set[str]:
    """Return the ids that a cluster test accepts, or finds accepted in the record afterwards."""
    found: set[str] = set()
    for file in (TESTS / "cluster").glob("**/test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "accepting":
                found |= _ids(node)
            if isinstance(node, ast.Compare) and '["accepted"]' in ast.unparse(node).replace(
                "'", '"'
            ):
                found |= _ids(node)
    return found


def test_what_each_refusal_predicts_is_seen_on_a_cluster_when_it_is_accepted() -> None:
    """Named, not proven: that the failure happens is for each of these tests to say."""
    both = (*CHOICES, *CHECKS)
    refusals = {c.id for c in both if c.severity is Severity.BLOCK and c.acceptable}

    assert refusals - gone_on_with() == set()


def test_each_refusal_that_cannot_be_accepted_is_seen_on_a_cluster() -> None:
    refusals = {c.id for c in (*CHOICES, *CHECKS) if c.severity is Severity.BLOCK}
    accepted = {c.id for c in (*CHOICES, *CHECKS) if c.acceptable}
    named = set[str]().union(*named_in("cluster").values())

    assert refusals - accepted - named == set()


def test_no_test_names_an_id_that_does_not_exist() -> None:
    unknown = {i for f in ("core", "cluster") for ids in named_in(f).values() for i in ids}

    assert unknown - set(IDS) - {"PF999"} == set()
    assert len(unknown) > len(IDS) // 2
