from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.health import judgement
from backout.core.health.judgement import Answer, Healthy, Inconclusive, Round, Sample, Unhealthy


def sample(answer: Answer, subject: str = "service web") -> Sample:
    return Sample(subject=subject, answer=answer, detail=f"said {answer}")


WELL, UNWELL, UNKNOWN = (sample(a) for a in (Answer.WELL, Answer.UNWELL, Answer.UNKNOWN))


def every_second(*rounds: list[Sample]) -> list[Round]:
    return [Round(at=float(at), samples=tuple(one)) for at, one in enumerate(rounds)]


def test_enough_good_rounds_in_a_row_are_healthy() -> None:
    other = sample(Answer.WELL, "service api")
    rounds = every_second([UNWELL, other], [WELL, other], [WELL, other])
    assert judgement.judge(rounds, successes=2) == Healthy(
        successes=2, subjects=("service web", "service api")
    )
    assert judgement.judge(rounds, successes=3) is None


def test_one_answer_that_is_not_good_starts_the_row_anew() -> None:
    for bad in (UNWELL, UNKNOWN):
        rounds = every_second([WELL], [WELL], [bad], [WELL])
        assert judgement.judge(rounds, successes=2) is None


def test_good_answers_must_span_the_soak_time() -> None:
    rounds = every_second(*([[WELL]] * 6))
    assert judgement.judge(rounds[:5], successes=3, soak=5.0) is None
    assert judgement.judge(rounds, successes=3, soak=5.0) == Healthy(
        successes=6, subjects=("service web",)
    )


def test_a_bad_answer_starts_the_soak_time_anew() -> None:
    rounds = every_second([WELL], [WELL], [UNWELL], [WELL], [WELL], [WELL])
    assert judgement.judge(rounds, successes=2, soak=3.0) is None
    assert judgement.judge(rounds, successes=2, soak=2.0) is not None


@pytest.mark.parametrize(
    ("rounds", "counted"),
    [
        ([], "0/6"),
        ([[UNWELL], [WELL], [WELL]], "2/6"),
        ([[WELL], [WELL], [UNKNOWN]], "0/6"),
        ([[WELL]] * 9, "6/6"),
    ],
)
def test_it_is_told_how_many_good_rounds_there_are_of_how_many(
    rounds: list[list[Sample]], counted: str
) -> None:
    told = judgement.progress(every_second(*rounds), successes=3, soak=5.0, interval=1.0)
    assert told == counted


def test_one_answer_is_enough_where_nothing_is_to_be_spanned() -> None:
    assert judgement.judge(every_second([WELL]), successes=1) is not None


def test_nothing_that_was_asked_is_not_healthy() -> None:
    assert judgement.judge([], successes=1) is None
    assert judgement.judge(every_second([], [], []), successes=3) is None
    assert judgement.judge(every_second([WELL], []), successes=2) is None


def test_at_the_deadline_the_newest_round_decides_and_unwell_outranks_unknown() -> None:
    assert judgement.at_deadline(every_second([WELL], [UNKNOWN, UNWELL])) == Unhealthy(
        why="service web: said unwell"
    )
    assert isinstance(judgement.at_deadline(every_second([UNWELL], [UNKNOWN, WELL])), Inconclusive)
    assert isinstance(judgement.at_deadline(every_second([UNWELL], [WELL])), Inconclusive)
    assert isinstance(judgement.at_deadline([]), Inconclusive)


def test_what_was_unwell_before_the_rollback_is_said_to_have_been_so() -> None:
    api = sample(Answer.UNWELL, "service api")
    verdict = judgement.at_deadline(every_second([UNWELL, api]), before=[UNWELL])

    assert verdict == Unhealthy(
        why="service web: said unwell (was already so before the rollback)",
        also=("service api: said unwell",),
    )


def test_what_was_well_before_is_not_said_to_have_been_so() -> None:
    verdict = judgement.at_deadline(every_second([UNWELL]), before=[WELL])
    assert verdict == Unhealthy(why="service web: said unwell")


def test_a_verdict_names_three_subjects_and_counts_the_others() -> None:
    many = [sample(Answer.UNWELL, f"service {n}") for n in range(5)]
    verdict = judgement.at_deadline(every_second(many))

    assert isinstance(verdict, Unhealthy)
    assert verdict.also[1:] == ("service 2: said unwell", "and 2 more")


@pytest.mark.parametrize(("guesses", "in_vain"), [([True, True], True), ([True, False], False)])
def test_only_answers_on_guessed_paths_end_the_questions(
    guesses: list[bool], *, in_vain: bool
) -> None:
    missed = [
        Sample(subject=f"s{n}", answer=Answer.UNKNOWN, detail="HTTP 404", is_absent=guess)
        for n, guess in enumerate(guesses)
    ]
    assert judgement.is_in_vain(every_second(missed, missed), successes=2) is in_vain
    assert not judgement.is_in_vain(every_second(missed), successes=2)


def test_what_was_guessed_makes_nothing_unhealthy_while_the_kubelet_says_otherwise() -> None:
    guess = Sample(subject="service web", answer=Answer.UNWELL, detail="HTTP 503", is_guess=True)
    verdict = judgement.at_deadline(every_second([guess]))

    assert isinstance(verdict, Inconclusive)
    assert verdict.why == "service web: HTTP 503, while the kubelet finds its Pods Ready"
    # What the user named beside it may fail, and then it is that which is told.
    named = sample(Answer.UNWELL, "https://shop.example")
    beside = judgement.at_deadline(every_second([guess, named]))
    assert isinstance(beside, Unhealthy)
    assert beside.why == "https://shop.example: said unwell"


def test_what_is_not_asked_as_the_kubelet_asks_is_known_after_so_many_rounds() -> None:
    other = Sample(subject="a", answer=Answer.UNKNOWN, detail="HTTP 421", is_misasked=True)
    once = sample(Answer.WELL, "a")
    beside = sample(Answer.WELL, "b")

    assert judgement.misasked(every_second([other, beside]), successes=2) == ()
    assert judgement.misasked(every_second([once], [other]), successes=2) == ()
    assert judgement.misasked(every_second([other], [other, beside]), successes=2) == (other,)


SAMPLES = st.lists(st.lists(st.sampled_from([WELL, UNWELL, UNKNOWN]), max_size=2))


@given(SAMPLES, st.integers(1, 4), st.sampled_from([0.0, 1.0, 3.0]))
def test_healthy_never_with_a_bad_answer_among_the_last(
    samples: list[list[Sample]], successes: int, soak: float
) -> None:
    verdict = judgement.judge(every_second(*samples), successes=successes, soak=soak)
    needed = max(successes, int(soak) + 1)
    in_a_row = samples[-needed:]

    assert (verdict is not None) == (
        len(in_a_row) == needed and all(one and set(one) == {WELL} for one in in_a_row)
    )


@given(SAMPLES)
def test_no_answer_that_could_not_be_had_makes_anything_unhealthy(
    samples: list[list[Sample]],
) -> None:
    last = samples[-1] if samples else []
    verdict = judgement.at_deadline(every_second(*samples))

    assert isinstance(verdict, Unhealthy) == (UNWELL in last)
