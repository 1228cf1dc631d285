"""Progress is a new best of a counter, as the controller sees it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backout.core.kinds.kind import Counters
from backout.core.rollout.progress import Best, bettered, by_pods
from tests.objects.stateful_sets import ordinal


def seen(
    *, wanted: int = 3, total: int = 4, updated: int = 1, ready: int = 3, up: int = 3
) -> Counters:
    return Counters(
        wanted=wanted, updated=updated, total=total, ready=ready, available=up, unavailable=0
    )


def told(*counters: Counters, observed_at: int = 0) -> list[bool]:
    """Return for each look whether it was progress; the spec is observed from that look on."""
    best, found = Best(), []
    for number, count in enumerate(counters):
        best, moved = bettered(best, count, is_observed=number >= observed_at)
        found.append(moved)
    return found


def test_each_counter_that_reaches_a_new_best_is_progress_ready_ones_too() -> None:
    first = seen()
    assert told(first, first) == [True, False]
    assert told(first, seen(updated=2, total=5)) == [True, True]
    assert told(first, seen(ready=4)) == [True, True]
    assert told(first, seen(ready=4, up=4)) == [True, True]
    assert told(first, seen(total=3)) == [True, True]


def test_a_pod_that_comes_and_goes_is_progress_once() -> None:
    up, down = seen(ready=4, up=4), seen()
    assert told(down, up, down, up, down, up) == [True, True, False, False, False, False]


def test_scaling_alone_is_no_progress_and_pods_that_become_ready_after_it_are() -> None:
    before = seen(total=3, updated=3)
    scaled = seen(wanted=5, total=5, updated=5)
    assert told(before, scaled) == [True, False]
    assert told(before, scaled, seen(wanted=5, total=5, updated=5, ready=4)) == [True, False, True]
    assert told(before, seen(wanted=2, total=2, updated=2, ready=2, up=2)) == [True, False]


def test_what_is_said_of_the_spec_before_is_no_progress() -> None:
    assert told(seen(updated=3), seen(updated=3), seen(), observed_at=2) == [False, False, True]


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 4), max_size=30))
def test_progress_is_made_a_limited_number_of_times(counters: list[tuple[int, ...]]) -> None:
    looks = [seen(total=a + b, updated=a, ready=c, up=d) for a, b, c, d in counters]
    assert sum(told(*looks)) <= 1 + 4 * 5 + 5


def test_each_pod_that_is_replaced_is_progress_also_where_no_counter_tells() -> None:
    """A StatefulSet's `updatedReplicas` is missing at times: the time that counts is per Pod."""
    silent = seen(updated=0, total=3)
    new = [ordinal(place) for place in (2, 1, 0)]
    looks = [by_pods(silent, new[:count]) for count in range(4)]

    assert told(*looks) == [True, True, True, True]
    assert told(silent, silent) == [True, False]
