from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.ledger import breaker
from backout.core.ledger.breaker import Closed, Open
from backout.core.ledger.records import Record, State
from tests.core.values_made import record
from tests.objects.times import NOW, ago

HOUR = timedelta(hours=1)
records = st.lists(
    st.builds(
        record,
        state=st.sampled_from(State),
        intent_at=st.integers(-7200, 3600).map(lambda s: NOW + timedelta(seconds=s)),
    ),
    max_size=8,
)
limits = st.integers(1, 4)


def judged(made: list[Record], limit: int = 2) -> Closed | Open:
    return breaker.judge(made, now=NOW, limit=limit, window=HOUR)


def test_two_rollbacks_in_an_hour_are_allowed_and_the_third_is_not() -> None:
    first, second = record("a", intent_at=ago(minutes=50)), record("b", intent_at=ago(minutes=5))
    assert judged([]) == Closed(counted=())
    assert judged([first]) == Closed(counted=(first,))
    assert judged([second, first]) == Open(until=ago(minutes=-10), counted=(first, second))


def test_a_rollback_as_old_as_the_window_no_longer_counts() -> None:
    assert isinstance(judged([record(intent_at=ago(hours=1))], limit=1), Closed)
    assert isinstance(judged([record(intent_at=ago(seconds=3599))], limit=1), Open)


@pytest.mark.parametrize("state", [s for s in State if s is not State.NOT_APPLIED])
def test_every_record_counts_that_may_have_been_applied_open_ones_too(state: State) -> None:
    assert isinstance(judged([record(state=state)], limit=1), Open)


def test_what_was_not_applied_never_counts() -> None:
    assert judged([record(state=State.NOT_APPLIED)] * 9, limit=1) == Closed(counted=())


def test_a_time_in_the_future_counts_so_that_a_clock_set_back_opens_no_gate() -> None:
    ahead = record(intent_at=ago(days=-2))
    assert judged([ahead], limit=1) == Open(until=ago(days=-2, hours=-1), counted=(ahead,))


def test_a_limit_of_zero_allows_none() -> None:
    assert isinstance(judged([], limit=0), Open)
    assert isinstance(judged([record()], limit=0), Open)


def test_times_and_windows_at_the_end_of_the_calendar_do_not_make_it_fail() -> None:
    last = record(intent_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert isinstance(judged([last], limit=1), Open)
    forever = breaker.judge([record()], now=NOW, limit=1, window=timedelta(days=10**6))
    assert isinstance(forever, Open)


@given(records, records, limits)
def test_more_records_never_close_it(one: list[Record], more: list[Record], limit: int) -> None:
    if isinstance(judged(one, limit), Open):
        assert isinstance(judged([*more, *one], limit), Open)


@given(records, limits)
def test_a_higher_limit_never_opens_it(made: list[Record], limit: int) -> None:
    if isinstance(judged(made, limit), Closed):
        assert isinstance(judged(made, limit + 1), Closed)


@given(records, limits, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(
    made: list[Record], limit: int, random: object
) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = judged(made, limit), judged(shuffled, limit)
    assert type(one) is type(other)
    assert [r.intent_at for r in one.counted] == [r.intent_at for r in other.counted]
    if isinstance(one, Open):
        assert isinstance(other, Open)
        assert one.until == other.until


@given(records, limits)
def test_until_is_the_first_moment_at_which_it_is_closed(made: list[Record], limit: int) -> None:
    state = judged(made, limit)
    if isinstance(state, Open):
        assert state.until > NOW
        at = breaker.judge(made, now=state.until, limit=limit, window=HOUR)
        just_before = state.until - timedelta(microseconds=1)
        assert isinstance(at, Closed)
        assert isinstance(breaker.judge(made, now=just_before, limit=limit, window=HOUR), Open)
