"""The choice against an oracle that was written from the design's words alone, and its laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from backout.core.history.choice import Choice, NoChoice, choose
from tests.core.history.histories import Deployed, History, histories

if TYPE_CHECKING:
    from collections.abc import Callable

TEN_MINUTES = 10


def runs_the_same(one: Deployed, other: Deployed) -> bool:
    return (one.image, one.barrier) == (other.image, other.barrier)


def is_beyond_a_barrier(target: Deployed, history: History) -> bool:
    """A revision newer than the target, up to the current one, carries a value it does not."""
    newer = [d for d in history.deployed if d.number > target.number]
    return any(d.barrier not in {"", target.barrier} for d in (*newer, history.wanted))


def has_served(one: Deployed, history: History) -> bool:
    """It was current for ten minutes or more, or for a span that cannot be computed."""
    follower = [d for d in history.deployed if d.number == one.number + 1]
    if one.is_reused or not follower or follower[0].is_reused:
        return True
    return one.age - follower[0].age >= TEN_MINUTES


def oracle(history: History) -> int | None:
    """Return the number of the revision that docs/choice.md goes to."""
    candidates = [
        d
        for d in history.deployed
        if not runs_the_same(d, history.wanted)
        and d.word != "bad"
        and not is_beyond_a_barrier(d, history)
    ]
    steps: tuple[Callable[[Deployed], bool], ...] = (
        lambda d: d.ready > 0,
        lambda d: d.word == "good" or has_served(d, history),
        lambda _: True,
    )
    for is_such in steps:
        found = [d.number for d in candidates if is_such(d)]
        if found:
            return max(found)
    return None


def chosen(history: History) -> Choice | NoChoice:
    wanted = history.wanted.template
    return choose(history.revisions(), history.known(), wanted=wanted)


def agrees(history: History) -> None:
    choice = chosen(history)
    number = choice.revision.number if isinstance(choice, Choice) else None
    assert number == oracle(history)


@settings(max_examples=300)
@given(histories())
def test_the_choice_is_that_of_the_oracle(history: History) -> None:
    agrees(history)


@pytest.mark.every_case
@settings(max_examples=10_000)
@given(histories())
def test_the_choice_is_that_of_the_oracle_in_ten_thousand_histories(history: History) -> None:
    agrees(history)


def found(history: History) -> Deployed | None:
    choice = chosen(history)
    if isinstance(choice, NoChoice):
        return None
    return next(d for d in history.deployed if d.number == choice.revision.number)


@given(histories())
def test_it_is_never_a_twin_of_the_current_template_that_was_only_restarted(
    history: History,
) -> None:
    there = found(history)
    assert there is None or not runs_the_same(there, history.wanted)


@given(histories())
def test_it_is_never_beyond_a_barrier(history: History) -> None:
    there = found(history)
    assert there is None or not is_beyond_a_barrier(there, history)


@given(histories())
def test_it_is_never_older_than_a_newer_one_with_at_least_the_same_kind_of_evidence(
    history: History,
) -> None:
    def kind(one: Deployed) -> int:
        return 2 if one.ready else int(one.word == "good" or has_served(one, history))

    there = found(history)
    if there is None:
        return
    newer = [d for d in history.deployed if d.number > there.number and d.word != "bad"]
    for one in newer:
        is_open = not runs_the_same(one, history.wanted) and not is_beyond_a_barrier(one, history)
        assert not is_open or kind(one) < kind(there)


@given(histories())
def test_each_newer_one_is_told_with_why_it_was_passed_over(history: History) -> None:
    choice = chosen(history)
    if isinstance(choice, NoChoice):
        return
    newer = [
        d.number
        for d in history.deployed
        if d.number > choice.revision.number and d is not history.wanted
    ]
    assert [number for number, _ in choice.passed_over] == newer
    assert all(why for _, why in choice.passed_over)


@given(histories())
def test_where_only_barriers_stand_in_the_way_it_is_said_what_lies_beyond(
    history: History,
) -> None:
    choice = chosen(history)
    if isinstance(choice, Choice):
        return
    beyond = [
        d.number
        for d in history.deployed
        if not runs_the_same(d, history.wanted) and d.word != "bad"
    ]
    assert (choice.beyond is not None) == bool(beyond)
    if choice.beyond is not None:
        assert choice.beyond.number in beyond
        assert choice.barriers
