from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core import health
from backout.core.health import Answer, Healthy, Inconclusive, Sample, Unhealthy


def sample(answer: Answer, subject: str = "service web") -> Sample:
    return Sample(subject=subject, answer=answer, detail=f"said {answer}")


WELL, UNWELL, UNKNOWN = (sample(a) for a in (Answer.WELL, Answer.UNWELL, Answer.UNKNOWN))


@pytest.mark.parametrize(
    ("status", "guessed", "answer"),
    [
        (200, True, Answer.WELL),
        (204, False, Answer.WELL),
        (299, False, Answer.WELL),
        (300, False, Answer.UNKNOWN),
        (301, False, Answer.UNKNOWN),
        (302, True, Answer.UNKNOWN),
        (304, False, Answer.UNKNOWN),
        (400, False, Answer.UNWELL),
        (401, True, Answer.UNWELL),
        (404, True, Answer.UNKNOWN),
        (404, False, Answer.UNWELL),
        (500, True, Answer.UNWELL),
        (503, False, Answer.UNWELL),
    ],
)
def test_what_a_status_says_of_the_application(
    status: int, answer: Answer, *, guessed: bool
) -> None:
    made = health.from_status("service web", status, guessed_path=guessed)
    assert made.answer is answer
    assert str(status) in made.detail
    assert made.status == status


def test_enough_good_rounds_in_a_row_are_healthy() -> None:
    other = sample(Answer.WELL, "service api")
    rounds = [[UNWELL, other], [WELL, other], [WELL, other]]
    assert health.judge(rounds, successes=2) == Healthy(
        successes=2, subjects=("service web", "service api")
    )
    assert health.judge(rounds, successes=3) is None


def test_one_answer_that_is_not_good_starts_the_row_anew() -> None:
    for bad in (UNWELL, UNKNOWN):
        assert health.judge([[WELL], [WELL], [bad], [WELL]], successes=2) is None


def test_nothing_that_was_asked_is_not_healthy() -> None:
    assert health.judge([], successes=1) is None
    assert health.judge([[], [], []], successes=3) is None
    assert health.judge([[WELL], []], successes=2) is None


def test_at_the_deadline_the_newest_round_decides_and_unwell_outranks_unknown() -> None:
    assert health.at_deadline([[WELL], [UNKNOWN, UNWELL]]) == Unhealthy(
        why="service web: said unwell"
    )
    assert isinstance(health.at_deadline([[UNWELL], [UNKNOWN, WELL]]), Inconclusive)
    assert isinstance(health.at_deadline([[UNWELL], [WELL]]), Inconclusive)
    assert isinstance(health.at_deadline([]), Inconclusive)


@given(st.lists(st.lists(st.sampled_from([WELL, UNWELL, UNKNOWN]), max_size=2)), st.integers(1, 4))
def test_no_answer_that_could_not_be_had_makes_anything_unhealthy(
    rounds: list[list[Sample]], successes: int
) -> None:
    last = rounds[-1] if rounds else []
    assert isinstance(health.at_deadline(rounds), Unhealthy) == (UNWELL in last)
    verdict = health.judge(rounds, successes=successes)
    in_a_row = rounds[-successes:]
    assert (verdict is not None) == (
        len(in_a_row) == successes and all(r and set(r) == {WELL} for r in in_a_row)
    )
