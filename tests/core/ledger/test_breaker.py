from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.ledger import breaker
from backout.core.ledger.breaker import Closed, Open
from backout.core.ledger.records import Record, Side, State
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


def back_and_forth(*states: State) -> list[Record]:
    """Return rollbacks from `bad` to `good`, back, and so on, a minute apart."""
    ends = (Side(revision=3, hash="bad"), Side(revision=2, hash="good"))
    return [
        record(
            f"op-{n}",
            state=state,
            source=ends[n % 2],
            destination=ends[(n + 1) % 2],
            intent_at=ago(minutes=30 - n),
        )
        for n, state in enumerate(states)
    ]


BAD, GOOD = Side(revision=3, hash="bad"), Side(revision=2, hash="good")
LOST = [State.FAILED, State.UNDECIDED, State.APPLIED]


@pytest.mark.parametrize("state", LOST)
def test_the_way_back_from_a_rollback_that_did_not_succeed_does_not_count(state: State) -> None:
    there = back_and_forth(state)
    assert breaker.is_way_back(there, source=GOOD, to=BAD)
    assert not breaker.is_way_back(there, source=GOOD, to=Side(revision=1, hash="january"))
    assert not breaker.is_way_back(there, source=Side(revision=4, hash="fixed"), to=BAD)

    both = back_and_forth(state, State.SUCCEEDED)
    assert judged(both, limit=2) == Closed(counted=(both[0],))


def test_going_back_from_a_rollback_that_succeeded_counts() -> None:
    both = back_and_forth(State.SUCCEEDED, State.SUCCEEDED)
    assert not breaker.is_way_back(both[:1], source=GOOD, to=BAD)
    assert isinstance(judged(both, limit=2), Open)


@given(st.lists(st.sampled_from(LOST), max_size=9), limits)
def test_a_circle_of_failures_is_stopped_at_twice_the_limit_at_most(
    states: list[State], limit: int
) -> None:
    made: list[Record] = []
    for one in back_and_forth(*states):
        is_back = breaker.is_way_back(made, source=one.source, to=one.destination)
        if is_back or isinstance(judged(made, limit=limit), Closed):
            made.append(one)
        else:
            break
    assert len(made) <= 2 * limit


def test_a_way_back_is_known_by_its_steady_template_too() -> None:
    restarted = Side(revision=3, hash="bad-restarted", steady=("steady-bad",))
    there = [
        record(
            state=State.FAILED,
            source=Side(revision=3, hash="bad", steady=("steady-bad",)),
            destination=Side(revision=2, hash="good", stored="good-stored"),
        )
    ]
    assert breaker.is_way_back(there, source=Side(revision=2, hash="good-stored"), to=restarted)
