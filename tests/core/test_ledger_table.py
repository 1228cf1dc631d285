"""The ledger as a table for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backout.core import ledger_table
from backout.core.ledger import Record, Side, State

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def record(minutes_ago: int, state: State = State.SUCCEEDED) -> Record:
    at = NOW - timedelta(minutes=minutes_ago)
    return Record(
        op="op",
        actor="ann",
        reason="",
        trace_id="t",
        host="here",
        boot_id="b",
        pid=1,
        uid="u",
        source=Side(revision=3, hash="c"),
        destination=Side(revision=2, hash="b"),
        state=state,
        intent_at=at,
        deadline=at,
    )


def test_a_row_says_when_from_where_to_where_and_what_became_of_it() -> None:
    assert ledger_table.row(record(5), NOW) == (
        "5 min ago",
        "3",
        "2",
        "SUCCEEDED",
        "-",
        "ann",
        "-",
    )


def test_columns_are_aligned_and_lines_have_no_trailing_space() -> None:
    lines = ledger_table.columns([ledger_table.row(record(5), NOW)])

    assert lines[0].index("STATE") == lines[1].index("SUCCEEDED")
    assert all(line == line.rstrip() for line in lines)


def test_the_breaker_says_how_many_count_and_when_it_closes_again() -> None:
    one, two = [record(10)], [record(30), record(10)]

    assert (
        ledger_table.breaker_line(one, now=NOW, limit=2, window=HOUR)
        == "breaker closed: 1 of 2 rollbacks in the last 1 h"
    )
    assert (
        ledger_table.breaker_line(two, now=NOW, limit=2, window=HOUR)
        == "breaker open: 2 of 2 rollbacks in the last 1 h; it closes again at 2026-11-23T12:30:00Z"
    )


def test_a_rollback_that_never_landed_does_not_count() -> None:
    told = ledger_table.breaker_line([record(5, State.NOT_APPLIED)], now=NOW, limit=2, window=HOUR)

    assert told == "breaker closed: 0 of 2 rollbacks in the last 1 h"
