"""A line of the journal, written and read back as the same event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, json
from msgspec.structs import fields

from backout.core.events import EVENTS
from backout.core.events.event import kind_of
from backout.core.events.lines import About, Line, read, written
from backout.core.events.told import Noted, RunEnded
from backout.core.events.watching import HealthAnswered, Moved

if TYPE_CHECKING:
    from backout.core.events.event import Event

AT = datetime(2026, 1, 1, tzinfo=UTC)
WEB = {"cluster": "c", "kind": "Deployment", "namespace": "shop", "name": "web"}


def told(event: Event) -> Line:
    return Line(time=AT, about=About(trace_id="t", object=WEB, op="o"), event=event)


def line(kind: str, **given: Any) -> dict[str, Any]:
    return {"time": AT.isoformat(), "event": kind, "message": "m", **given}


def test_a_line_says_when_what_and_of_which_run_and_then_what_its_kind_has() -> None:
    assert written(told(Moved(message="m", complete=True))) == {
        "time": "2026-01-01T00:00:00.000+00:00",
        "event": "progress",
        "message": "m",
        "traceID": "t",
        "object": WEB,
        "op": "o",
        "complete": True,
    }


def test_no_kind_is_given_twice_and_no_field_is_named_like_what_all_lines_share() -> None:
    shared = {"time", "event", "traceID", "object", "op"}

    assert len({kind_of(one) for one in EVENTS}) == len(EVENTS)
    assert not any(shared & set(one.__struct_fields__) for one in EVENTS)


def values(expected: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a field's type: numbers that JSON keeps, and texts."""
    if expected is float:
        return st.floats(-1e9, 1e9)
    if expected is int:
        return st.integers(-(2**31), 2**31)
    if isinstance(expected, UnionType):
        return st.one_of(*map(values, get_args(expected)))
    if get_origin(expected) is tuple:
        return st.lists(values(get_args(expected)[0]), max_size=2).map(tuple)
    if get_origin(expected) is Mapping:
        return st.dictionaries(st.text(), st.text(), max_size=2)
    if issubclass(expected, Struct):
        return made(expected)
    return st.from_type(expected)


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    unwritten = getattr(kind, "unwritten", ())
    return st.builds(
        kind, **{f.name: values(f.type) for f in fields(kind) if f.name not in unwritten}
    )


ANY = st.one_of(*map(made, EVENTS))


@given(event=ANY)
def test_an_event_is_read_back_as_it_was_written(event: Event) -> None:
    there = json.decode(json.encode(written(told(event))))

    assert read(there) == told(event)


def test_the_sentences_of_a_last_word_are_for_readers_and_in_no_line() -> None:
    last = RunEnded(
        message="a; b",
        sentences=("a", "b"),
        result="failed",
        exit=4,
        verdict="",
        health="",
        remedy="",
    )
    line = written(told(last))

    assert "sentences" not in line
    assert line["message"] == "a; b"


@pytest.mark.parametrize("wrong", [None, 7, "x", ["x"], {"a": 1}, True, 1e999, -(10**400)])
def test_a_field_of_another_type_is_as_empty_as_can_be(wrong: Any) -> None:
    for kind in EVENTS:
        given = dict.fromkeys((f.name for f in fields(kind)), wrong)

        assert type(read({**line(kind_of(kind)), **given}).event) is kind


def test_what_an_older_journal_lacks_is_empty_and_what_a_newer_one_has_is_left_out() -> None:
    seen = read(line("health", subject="s", colour="red")).event

    assert seen == HealthAnswered(message="m", subject="s", answer="", status=None, milliseconds=0)


def test_a_kind_that_is_not_known_is_told_with_what_it_has() -> None:
    seen = read(line("weather", wind=3)).event

    assert (seen.kind, seen.message, seen.fields) == ("weather", "m", {"wind": 3})


@pytest.mark.parametrize(
    "line", [{}, {"event": "note"}, {"event": 1, "time": AT.isoformat()}, line("note", time="x")]
)
def test_what_does_not_say_when_and_what_is_no_line(line: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        read(line)


def test_a_note_without_more_has_no_fields() -> None:
    assert Noted(message="m").fields == {}
