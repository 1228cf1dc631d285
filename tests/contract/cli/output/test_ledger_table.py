"""The ledger as a table for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from backout.cli.output.columns import columns
from backout.cli.output.words import ledger_table
from backout.core.ledger import breaker, memory
from backout.core.ledger.records import Ledger, Record, Side, State
from tests.core.values_made import revision

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
        "rolled out",
        "ann",
        "t",
        "-",
    )


def test_old_numbers_are_tied_to_those_of_today_by_the_template_and_images_are_told() -> None:
    there = (
        revision(5, hash="b", is_current=True),
        revision(4, hash="x"),
        revision(3, hash="c"),
    )

    assert ledger_table.row(record(5), NOW, there)[1:3] == ("3 app:v3", "2 app:v5 (now numbered 5)")
    assert ledger_table.row(record(5), NOW, there[:2])[1] == "3 (gone)"
    unnumbered = replace(record(5), source=Side(revision=0, hash="new", images={"app": "app:v6"}))
    assert ledger_table.row(unnumbered, NOW, there)[1] == "- app:v6 (gone)"
    assert ledger_table.as_json(record(5), there)["toNow"] == 5
    assert ledger_table.as_json(record(5), there[:2])["fromNow"] is None


def test_of_a_revision_that_is_gone_the_image_stands_that_the_record_kept() -> None:
    digest = "sha256:" + "a" * 64
    one = Side(revision=2, hash="b", images={"app": "reg.example/team/app:v2", "side": digest})

    assert ledger_table.side(one, (revision(9),)) == f"2 app:v2 @{'a' * 12} (gone)"


def test_what_became_of_a_rollback_is_told_with_the_health_where_that_decided() -> None:
    well = replace(record(5), health="Healthy")
    ill = replace(record(5, State.FAILED), health="Unhealthy")
    others = [ledger_table.result(record(5, state)) for state in State]

    assert (ledger_table.result(well), ledger_table.result(ill)) == ("healthy", "failed: unhealthy")
    assert others == [
        *("left open", "left open", "not applied"),
        *("rolled out", "failed", "undecided"),
    ]


def test_columns_are_aligned_and_lines_have_no_trailing_space() -> None:
    lines = columns(ledger_table.HEADER, [ledger_table.row(record(5), NOW)])

    assert lines[0].index("RESULT") == lines[1].index("rolled out")
    assert all(line == line.rstrip() for line in lines)


def breaker_line(*records: Record) -> str:
    state = breaker.judge(records, now=NOW, limit=2, window=HOUR)
    return ledger_table.breaker_line(state, now=NOW, limit=2, window=HOUR)


def test_the_limit_says_how_many_are_used_and_when_the_next_is_allowed() -> None:
    assert breaker_line(record(10)) == "limit: 1 of 2 rollbacks in the last 1 h"
    assert (
        breaker_line(record(30), record(10))
        == "limit reached: 2 rollbacks in the last 1 h, 2 allowed; the next is allowed at "
        "2026-11-23T12:30:00Z, in 30 min"
    )


def test_a_rollback_that_never_landed_does_not_count() -> None:
    told = breaker_line(record(5, State.NOT_APPLIED))

    assert told == "limit: 0 of 2 rollbacks in the last 1 h"


def test_what_is_known_good_is_told_before_what_is_known_bad() -> None:
    whole = memory.marked(Ledger(), "a", 4, at=NOW - HOUR, told="marked by ci: smoke tests")
    whole = memory.marked(whole, "b", 5, at=NOW, bad="marked by ann: leaks")

    assert ledger_table.memory_lines(whole, NOW) == [
        "revision 4 is good: recorded healthy 1 h ago (marked by ci: smoke tests)",
        "revision 5 is bad: marked by ann: leaks, 0 s ago",
    ]
    unnumbered = memory.marked(Ledger(), "c", 0, at=NOW, bad="marked by ann: leaks")
    (told,) = ledger_table.memory_lines(unnumbered, NOW)
    assert told == "a template without a revision is bad: marked by ann: leaks, 0 s ago"
