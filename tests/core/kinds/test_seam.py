"""What counts for `scripts/seam`, which `make check` runs over the sources."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

NAMED = runpy.run_path(str(Path(__file__).parents[3] / "scripts/seam"))["named"]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("def deployments(namespace): ...", True),
        ('where = f"/apis/apps/v1/{namespace}/replicasets"', True),
        ("state.replica_sets = {}", True),
        ("x = 1  # a Deployment's", False),
        ('"""The ReplicaSets of a Deployment."""', False),
        ("replicas = 3", False),
    ],
)
def test_code_that_names_a_kind_counts_and_what_is_said_about_it_does_not(
    line: str, *, counts: bool
) -> None:
    assert NAMED(f"import x\n{line}\n") == ([2] if counts else [])
