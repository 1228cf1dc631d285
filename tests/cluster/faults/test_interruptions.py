"""Ctrl-C before each request of a full undo and after each write; SIGTERM, SIGKILL at fewer.

Each test takes every STEP-th request, in a namespace of its own, until the run ends before that.
"""

from __future__ import annotations

import signal
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.scene import Ended, Scene, is_write, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.cluster.space import Space

STEP = 8
EVERY_CASE = pytest.mark.every_case


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    with scene(space) as made:
        yield made


def hits(
    stage: Scene,
    sent: signal.Signals,
    moment: str,
    numbers: Iterable[int],
    counts: Callable[[str], bool] = lambda _: True,
) -> Iterator[Ended]:
    """Yield one run for each request that is hit, the bad version rolled out before it."""
    for runs, number in enumerate(numbers):
        stage.broken()
        ended = stage.undo(number=number, sent=sent, moment=moment, counts=counts)
        stage.settled()
        if not ended.hit:
            assert ended.code == 0, str(ended)
            assert runs >= 2, "hardly a request was hit"
            return
        yield ended
        stage.check_the_rest()


def check_interrupted(stage: Scene, ended: Ended, code: int) -> None:
    """Check that the last word says what the cluster and the record say."""
    told, states = ended.last, stage.states
    why = f"{ended}\n{states}, holder {stage.holder!r}, undone {stage.is_undone}"
    if ended.code == 0:  # it was over before the signal was taken
        assert "rolled back to revision" in told, why
        assert states == ["SUCCEEDED"], why
        return

    assert ended.code == code, why
    assert told.startswith("ERROR: interrupted"), why
    if "nothing was changed" in told:
        assert not stage.is_undone, why
        assert set(states) <= {"NOT_APPLIED"}, why
    elif "was set to revision" in told:
        assert stage.is_undone, why
        assert set(states) == {"APPLIED"}, why
        assert "watch it to its end: backout resume deployment/" in ended.err, why
    elif "after the verdict" in told:
        assert stage.is_undone, why
        assert states == ["SUCCEEDED"], why
    else:
        assert "not known whether" in told, why
        assert states == ["INTENT"], why
    assert stage.holder == "", why
    if stage.is_undone:
        check_gone_on_with(stage, why, left=states)


def check_gone_on_with(stage: Scene, why: str, *, left: list[str]) -> None:
    """Give the same command again and again: it goes on with what was left open, and no further."""
    if {"INTENT", "APPLIED"} & set(left):
        second = stage.undo()
        why = f"{why}\nthe same command again:\n{second}\n{stage.states}"
        assert second.code == 0, why
        assert "rolled back to revision" in second.last, why
    assert stage.is_undone, why
    assert stage.states == ["SUCCEEDED"], why
    stage.check_repeated(why)


@pytest.mark.parametrize(
    "first",
    [pytest.param(n, marks=() if n == 1 else EVERY_CASE) for n in range(1, STEP + 1)],
)
def test_ctrl_c_before_any_request_ends_with_the_truth(stage: Scene, first: int) -> None:
    for ended in hits(stage, signal.SIGINT, "before", count(first, STEP)):
        check_interrupted(stage, ended, 130)


@pytest.mark.parametrize("first", [1, pytest.param(2, marks=EVERY_CASE)])
def test_ctrl_c_after_any_write_ends_with_the_truth(stage: Scene, first: int) -> None:
    """After a read it is as before the next request: nothing has changed in between."""
    for ended in hits(stage, signal.SIGINT, "after", count(first, 2), is_write):
        check_interrupted(stage, ended, 130)


@EVERY_CASE
def test_sigterm_at_some_requests_ends_with_the_truth(stage: Scene) -> None:
    for ended in hits(stage, signal.SIGTERM, "before", count(5, 6)):
        check_interrupted(stage, ended, 143)


@pytest.mark.parametrize("first", [1, pytest.param(2, marks=EVERY_CASE)])
def test_a_kill_after_any_write_is_settled_by_the_next_undo(stage: Scene, first: int) -> None:
    """Only a write makes a difference to who comes next: before the first there is nothing."""
    for ended in hits(stage, signal.SIGKILL, "after", count(first, 2), is_write):
        check_recovered(stage, ended)


def check_recovered(stage: Scene, ended: Ended) -> None:
    """Give the same command again when the lock has expired: once back, whatever became of it."""
    was_undone, left = stage.is_undone, stage.states
    if stage.holder:
        stage.expire()
    if was_undone:
        check_gone_on_with(stage, f"{ended}\nleft: {left}", left=left)
        return
    second = stage.undo()
    states = stage.states
    why = f"{ended}\nleft: {left}\nthen:\n{second}\n{states}"

    assert stage.is_undone, why
    assert second.code == 0, why
    assert [s for s in states if s != "NOT_APPLIED"] == ["SUCCEEDED"], why
    stage.check_repeated(why)
