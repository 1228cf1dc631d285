"""How a rollout ended, in a result and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backout.core.health.judgement import Inconclusive, Unhealthy
from backout.core.outcome import Result
from backout.core.rollout.ending import not_verified, unfinished, unwell
from backout.core.rollout.verdict import Failed, Progressing, Superseded, Unknown

if TYPE_CHECKING:
    from backout.core.rollout.verdict import Verdict


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Failed(message="m", causes=(), also=("n",)), (Result.FAILED, "failed", ("n",))),
        (Superseded(message="m"), (Result.UNDECIDED, "superseded", ())),
        (Unknown(message="m", also=("n",)), (Result.UNDECIDED, "undecided", ("n",))),
        (Progressing(message="m"), (Result.UNDECIDED, "undecided", ())),
    ],
    ids=lambda one: type(one).__name__,
)
def test_only_a_rollout_that_failed_is_a_failure(
    verdict: Verdict, told: tuple[Result, str, tuple[str, ...]]
) -> None:
    assert unfinished(verdict) == told


def test_a_bad_answer_is_a_failure_and_an_answer_that_tells_nothing_is_none() -> None:
    assert unwell("rolled out", Unhealthy(why="HTTP 500; sorry", also=("2 more",))) == (
        Result.FAILED,
        ("rolled out, and unhealthy: HTTP 500; sorry", "2 more"),
    )
    assert unwell("rolled out", Inconclusive(why="no answer", also=("2 more",))) == (
        Result.UNDECIDED,
        ("rolled out", "health is inconclusive: no answer", "2 more"),
    )


def test_what_could_not_be_asked_is_a_success_only_where_nobody_requires_an_answer() -> None:
    words = "not verified end to end: no Service"

    assert not_verified("rolled out", "no Service", is_required=False) == (
        Result.SUCCEEDED,
        ("rolled out", words),
    )
    assert not_verified("rolled out", "no Service", is_required=True) == (
        Result.UNDECIDED,
        ("rolled out", f"{words} (--require-health)"),
    )
