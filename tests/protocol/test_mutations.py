"""Each rule of the protocol, taken out of the real code, is missed by a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.protocol.mutations import MUTATIONS, Mutation, copied, mutate, run_tests

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = (
    "the fence",
    "the Lease is written by compare-and-swap",
    "the PATCH has the resourceVersion as its precondition",
    "once back, not twice: before the plan",
    "no second write once the lock is lost",
)
"""What `make test` takes out; the other rules' turn comes in `make test-all`."""
RED = 1
"""pytest's exit code where tests ran and one failed; a file that cannot be imported is 2."""


def test_each_rule_that_is_always_taken_out_is_one() -> None:
    assert set(ALWAYS) <= {m.rule for m in MUTATIONS}


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(m, marks=pytest.mark.slow if m.rule in ALWAYS else pytest.mark.every_case)
        for m in MUTATIONS
    ],
    ids=lambda m: m.rule,
)
def test_without_this_rule_a_test_goes_red(tmp_path: Path, mutation: Mutation) -> None:
    root = copied(tmp_path)
    mutate(root, mutation)
    ended = run_tests(root, mutation.test)

    assert ended.returncode == RED, ended.stdout[-3000:] + ended.stderr[-1000:]
    assert "1 failed" in ended.stdout


@pytest.mark.every_case
def test_with_all_rules_the_same_tests_are_green(tmp_path: Path) -> None:
    ended = run_tests(copied(tmp_path), *sorted({m.test for m in MUTATIONS}))

    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
