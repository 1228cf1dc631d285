from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from backout.core.ledger import form, memory, size
from backout.core.ledger.records import Ledger, Record, Side, State
from backout.core.ledger.size import MOST, fitting
from tests.core.values_made import lease, record
from tests.objects.times import NOW, ago

LONG = "\U0001f525" * 500


def heavy(number: int, text: str, state: State = State.SUCCEEDED) -> Record:
    side = Side(
        revision=number,
        hash=f"{number:064}",
        images={f"c{i}": text for i in range(3)},
        fingerprint=f"{number:016}",
    )
    return replace(
        record(f"{number:032}", state=state, intent_at=ago(minutes=500 - number)),
        actor=text,
        reason=text,
        host=text,
        verdict=text,
        causes=(text,) * 5,
        source=side,
        destination=side,
    )


def full(text: str, *, records: int = 50, templates: int = 50) -> Ledger:
    whole = Ledger(records=tuple(heavy(n, text) for n in range(records)))
    for number in range(templates):
        images = {"app": "sha256:" + "a" * 64}
        at = ago(minutes=500 - number)
        whole = memory.marked(whole, f"{number:064}", number, at=at, images=images)
        whole = memory.marked(whole, f"{number:064}", number, at=at, bad=text)
    return whole


def read(text: str) -> Ledger:
    found = form.read(lease(text=text))
    assert isinstance(found, Ledger)
    return found


def test_an_ordinary_ledger_is_written_whole() -> None:
    whole = full("rolled back by the pipeline", records=20, templates=10)
    assert fitting(whole) == form.written(whole)


def test_the_fullest_ledger_with_the_longest_texts_stays_below_its_size() -> None:
    text = fitting(full(LONG))
    assert len(text) < MOST
    kept = read(text)
    assert len(kept.records) == 50
    assert kept.memory


def test_what_counts_for_the_breaker_outlives_what_does_not() -> None:
    whole = full(LONG, records=40)
    never = tuple(heavy(100 + n, LONG, State.NOT_APPLIED) for n in range(60))
    kept = read(fitting(replace(whole, records=(*never, *whole.records))))
    assert sum(r.counts for r in kept.records) == 40


def test_a_persons_marks_and_the_newest_known_good_are_given_up_last() -> None:
    whole = full(LONG, templates=0)
    whole = memory.marked(whole, "marked", 1, at=ago(days=9), bad=LONG)
    whole = memory.recorded(whole, "good", 2, at=ago(days=8))
    for number in range(48):
        left = replace(heavy(200 + number, LONG), source=Side(revision=3, hash=f"{number:064}"))
        whole = memory.with_record(whole, replace(left, health=""))
    whole = replace(whole, rest={"theirs": "x" * 18_000})
    kept = read(fitting(whole))
    assert 2 <= len(kept.memory) < 50
    assert {"marked", "good"} <= set(kept.memory)


def test_an_open_record_is_written_whole() -> None:
    opened = heavy(700, "x" * 200, State.INTENT)
    whole = full(LONG)
    kept = read(fitting(replace(whole, records=(opened, *whole.records))))
    assert kept.records[0].reason == opened.reason
    assert kept.records[0].destination == opened.destination


@settings(max_examples=25)
@given(
    st.text(max_size=500),
    st.integers(0, 80),
    st.integers(0, 50),
)
def test_any_history_stays_below_the_size_and_can_be_read_again(
    text: str, records: int, templates: int
) -> None:
    whole = full(text, records=records, templates=templates)
    written = fitting(whole)
    assert len(written) < MOST
    kept = read(written)
    assert [r.op for r in kept.records] == [r.op for r in whole.records][-len(kept.records) :]


def test_giving_up_stops_as_soon_as_it_fits() -> None:
    whole = full("x" * 200, templates=30)
    smaller = read(fitting(whole))
    assert smaller.records[-1] == read(form.written(whole)).records[-1]
    assert smaller.records[0].causes == ()
    assert len(smaller.records[0].reason) <= size.SHORT
    assert smaller.records[0].intent_at < NOW
