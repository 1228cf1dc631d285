from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.cli.output.columns import fitted, wrapped
from backout.cli.output.streams import width_of
from tests.packaging.terminal import Terminal

ROWS = [
    ("NAME", "STATUS"),
    ("shop", "recorded healthy 2 h ago; barrier: schema 39, which older code refuses"),
]


def test_what_goes_into_a_pipe_is_a_line_a_row() -> None:
    assert [len(lines) for lines in fitted(ROWS, None)] == [1, 1]


def test_the_last_column_is_wrapped_below_its_beginning() -> None:
    header, (first, *more) = fitted(ROWS, 50)

    assert header == ["NAME   STATUS"]
    assert first.startswith("shop   recorded healthy")
    assert {line[:7] for line in more} == {" " * 7}


def test_where_little_room_is_left_it_stands_below_the_row() -> None:
    header, lines = fitted(ROWS, 28)

    assert header == ["NAME", "    STATUS"]
    assert lines[:2] == ["shop", "    recorded healthy 2 h"]


def test_columns_that_go_beyond_the_width_stand_below_with_the_last_one() -> None:
    rows = [("WHEN", "REVISION", "BY", "REASON"), ("5 s ago", "3", "ann", "checkout is down")]

    assert fitted(rows, 22) == [
        ["WHEN      REVISION", "    BY    REASON"],
        ["5 s ago   3", "    ann   checkout is", "    down"],
    ]


def test_a_sentence_is_wrapped_below_itself() -> None:
    line = "  not chosen: revision 3, no Pod of it is Ready"

    assert wrapped(line, None) == [line]
    assert wrapped(line, 30) == ["  not chosen: revision 3, no", "      Pod of it is Ready"]


_WORDS = st.lists(st.text("abc", min_size=1, max_size=9), max_size=20).map(" ".join)


@given(st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=4), st.integers(20, 200))
def test_no_word_is_lost_or_broken_at_any_width(rows: list[tuple[str, ...]], width: int) -> None:
    for row, lines in zip(rows, fitted(rows, width), strict=True):
        assert " ".join(lines).split() == " ".join(row).split()


@given(_WORDS, st.integers(20, 200))
def test_no_word_of_a_sentence_is_lost_or_stands_beyond_the_width(line: str, width: int) -> None:
    lines = wrapped(line, width)

    assert " ".join(lines).split() == line.split()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("columns", "width"), [(64, 64), (5, 20), (0, None)], ids=["wide", "tiny", "unknown"]
)
def test_the_width_is_what_the_streams_own_terminal_says(columns: int, width: int | None) -> None:
    with Terminal(columns) as terminal, os.fdopen(os.dup(terminal.theirs), "w") as stream:
        assert width_of(stream) == width


def test_what_is_no_terminal_has_no_width() -> None:
    assert width_of(io.StringIO()) is None
