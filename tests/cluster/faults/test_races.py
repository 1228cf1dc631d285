"""Many runs released at once: never more rollbacks than allowed, and one gets on each round."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import BACKOUT
from tests.cluster.faults.history import recorded
from tests.cluster.faults.test_other_kinds import KINDS
from tests.cluster.manifests import SHOP, SHORT

if TYPE_CHECKING:
    from tests.cluster.space import Space

ROUNDS = 3
MORE = int(os.environ.get("BACKOUT_ROUNDS", "10"))
"""Rounds in `make test-all`, each with a race of its own."""
LONGEST = 90.0
LIMIT = 2


@pytest.mark.parametrize(
    ("kind", "runs", "rounds"),
    [
        ("Deployment", 10, ROUNDS),
        *(
            pytest.param(kind, runs, MORE, marks=pytest.mark.every_case)
            for kind in SHORT
            for runs in (2, 10)
        ),
    ],
)
def test_of_many_undos_released_at_once_one_gets_on_and_never_more_than_the_limit(
    space: Space, kind: str, runs: int, rounds: int
) -> None:
    space.kind = kind
    with recorded(space) as history:
        space.deploy(space.version("v1"), **KINDS.get(kind, {}))
        for number in range(rounds):
            one_round(space, runs, number)
        history.check(limit=LIMIT)


def one_round(space: Space, runs: int, number: int) -> None:
    forget(space)
    space.roll(space.version(f"missing-{number}"))
    ended = released(space, runs)
    codes = [process.returncode for process, _ in ended]
    told = "\n---\n".join(text for _, text in ended)

    assert codes.count(0) >= 1, told
    assert set(codes) <= {0, 3}, told
    assert space.image_now() == space.image("v1")
    states = [r["state"] for r in space.records()]
    assert 1 <= sum(s != "NOT_APPLIED" for s in states) <= LIMIT, states
    assert not {"INTENT", "APPLIED"} & set(states), states
    for process, text in ended:
        assert process.returncode == 0 or _is_a_true_refusal(text), text


def forget(space: Space) -> None:
    lease = space.lease()
    if lease is not None:
        space.api.delete(space.name, "Lease", lease["metadata"]["name"])


def released(space: Space, runs: int) -> list[tuple[subprocess.Popen[str], str]]:
    """Start the runs together; return each with all that it said."""
    argv = [str(BACKOUT), "undo", f"{SHORT[space.kind]}/{SHOP}", "-n", space.name, "--yes"]
    started = [
        subprocess.Popen(
            argv,
            env=space.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(runs)
    ]
    return [(process, process.communicate(timeout=LONGEST)[0]) for process in started]


def _is_a_true_refusal(text: str) -> bool:
    """The lock was held, or the others had rolled back already and nothing was left to do."""
    return any(
        words in text
        for words in (
            "another rollback is under way",
            "rollback rate limit exceeded",
            "nothing to go back to",
            "already rolled back to revision",
            "is gone",
        )
    )
