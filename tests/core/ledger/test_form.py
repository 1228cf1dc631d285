from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.ledger import form, records
from backout.core.ledger.records import Ledger, Side, State, UnreadableLedger
from tests.core.values_made import lease, record
from tests.objects.times import NOW

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda t: t.replace(microsecond=0)
)


def side(**fields: Any) -> Side:
    return Side(**fields)


sides = st.builds(
    side,
    revision=st.integers(0, 10**6),
    hash=st.text(max_size=8),
    images=st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    generation=st.none() | st.integers(0, 99),
    stored=st.text(max_size=8),
    fingerprint=st.text(max_size=8),
    steady=st.lists(st.text(max_size=8), max_size=2).map(tuple),
)
texts = st.text(max_size=8)
some = st.builds(
    record,
    op=texts,
    actor=texts,
    reason=texts,
    trace_id=texts,
    host=texts,
    pid=st.integers(0, 2**31),
    source=sides,
    destination=sides,
    state=st.sampled_from(State),
    intent_at=moments,
    deadline=moments,
    accepted=st.lists(texts, max_size=2).map(tuple),
    patched_at=st.none() | moments,
    verdict=texts,
    health=texts,
    causes=st.lists(texts, max_size=2).map(tuple),
    closed_at=st.none() | moments,
)
foreign = st.dictionaries(
    texts.filter(lambda k: k not in {"schema", "records"}), st.integers() | texts, max_size=2
)


@given(st.lists(some, max_size=4).map(tuple), foreign)
def test_what_is_written_reads_as_it_was_and_foreign_keys_are_kept(
    kept: tuple[records.Record, ...], rest: dict[str, Any]
) -> None:
    whole = Ledger(records=kept, rest=rest)
    text = form.written(whole)
    assert form.read(lease(text=text)) == whole
    assert text.isascii()


def test_the_schema_version_stands_first_and_times_are_utc() -> None:
    text = form.written(Ledger(records=(record(),), rest={"later": {"hash": {}}}))
    assert text.startswith('{"schema":1,')
    written = json.loads(text)["records"][0]
    assert written["intentAt"] == "2026-03-01T11:50:00Z"
    assert set(written) >= {
        *("op", "actor", "reason", "traceID", "host", "bootID", "pid", "uid", "from", "to"),
        *("state", "intentAt", "deadline", "patchedAt", "verdict", "health", "causes", "closedAt"),
    }
    assert written["from"] == {
        "revision": 3,
        "hash": "bad",
        "images": {"app": "sha256:3"},
        "generation": 4,
    }


def test_a_time_of_another_zone_is_written_as_the_same_moment() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    back = form.read(lease(record(intent_at=east)))
    assert isinstance(back, Ledger)
    assert back.records[0].intent_at == NOW


def test_keys_of_a_record_that_nobody_knows_here_survive_the_next_write() -> None:
    content = json.loads(form.written(Ledger(records=(record(),))))
    content["records"][0]["addedIn2031"] = {"a": 1}
    read = form.read(lease(text=json.dumps(content)))
    assert isinstance(read, Ledger)
    assert json.loads(form.written(read)) == content


@pytest.mark.parametrize("absent", [None, {}, {"metadata": {}}, {"metadata": {"annotations": {}}}])
def test_an_absent_lease_or_annotation_is_an_empty_ledger(absent: Any) -> None:
    assert form.read(absent) == Ledger()


def changed(**changes: Any) -> str:
    content = json.loads(form.written(Ledger(records=(record(),))))
    content["records"][0].update(changes)
    return json.dumps(content)


def without(key: str) -> str:
    content = json.loads(form.written(Ledger(records=(record(),))))
    del content["records"][0][key]
    return json.dumps(content)


GARBAGE = [
    "",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    "{",
    '{"schema":1}',
    '{"schema":1,"records":null}',
    '{"schema":1,"records":[null]}',
    '{"schema":1,"records":[[]]}',
    '{"schema":1,"records":"ab"}',
    '{"schema":1,"records":{"a":1}}',
    '{"schema":2,"records":[]}',
    '{"schema":"1","records":[]}',
    '{"schema":true,"records":[]}',
    '{"records":[]}',
    "[" * 100_000,
    '{"schema":1,"records":' + "[" * 100_000,
    without("op"),
    without("intentAt"),
    without("from"),
]

WRONG_FIELDS: list[dict[str, Any]] = [
    {"state": "ROLLED"},
    {"state": None},
    {"pid": float("inf")},
    {"pid": "many"},
    {"pid": True},
    {"intentAt": None},
    {"intentAt": "yesterday"},
    {"intentAt": 1700000000},
    {"intentAt": "0001-01-01T00:00:00+14:00"},
    {"deadline": ""},
    {"closedAt": "some day"},
    {"actor": 5},
    {"op": None},
    {"causes": "abc"},
    {"causes": [1]},
    {"accepted": {"PF801": True}},
    {"to": None},
    {"to": {"revision": 2, "hash": {}, "images": {}}},
    {"to": {"revision": 2, "hash": None, "images": {}}},
    {"to": {"revision": "two", "hash": "h", "images": {}}},
    {"to": {"revision": 2, "hash": "h", "images": ["a"]}},
    {"to": {"revision": 2, "hash": "h", "images": {"app": 1}}},
    {"from": {"revision": 2, "hash": "h", "images": {}, "generation": "x"}},
]


@pytest.mark.parametrize("fields", WRONG_FIELDS, ids=str)
def test_a_record_with_a_value_of_the_wrong_kind_is_unreadable(fields: dict[str, Any]) -> None:
    assert isinstance(form.read(lease(text=changed(**fields))), UnreadableLedger)


@pytest.mark.parametrize("text", GARBAGE, ids=lambda t: f"{t[:40] or 'empty'} {len(t)}")
def test_what_is_no_ledger_of_this_schema_is_unreadable_and_never_an_empty_one(text: str) -> None:
    read = form.read(lease(text=text))
    assert isinstance(read, UnreadableLedger)
    assert read.why
    assert len(read.why) < 300


def test_a_newer_schema_is_told_by_its_number() -> None:
    read = form.read(lease(text='{"schema":2,"records":[]}'))
    assert isinstance(read, UnreadableLedger)
    assert "2" in read.why


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.sampled_from(sorted(json.loads(changed())["records"][0])),
    json_values,
)
def test_any_value_in_any_field_is_either_read_and_written_or_unreadable(
    key: str, value: Any
) -> None:
    read = form.read(lease(text=changed(**{key: value})))
    if isinstance(read, Ledger):
        assert form.read(lease(text=form.written(read))) == read
