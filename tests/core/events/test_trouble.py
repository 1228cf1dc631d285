"""The words of a cause, and which causes are one trouble."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.events.trouble import halves, trouble, worded

WORDS = "container app ends with exit 3, 4 restarts"
names = st.from_regex(r"Pod [a-z0-9-]{1,20}", fullmatch=True)


@given(names, st.text(), st.text())
def test_what_was_worded_comes_apart_into_the_same(subject: str, words: str, outlook: str) -> None:
    assert halves(worded(subject, words, outlook), outlook) == (subject, words)


def one(message: str = f"Pod web-1: {WORDS}", **more: Any) -> object:
    return trouble(**{"code": "CRASH_LOOP", "message": message, "final": True, **more})


@pytest.mark.parametrize(
    "other",
    [
        one(f"Pod web-2: {WORDS}"),
        one("Pod web-2: container app ends with exit 3, 12 restarts"),
        one(f"Pod web-2: {WORDS}; final in 3 s", outlook="final in 3 s"),
    ],
    ids=["another Pod", "another number", "what it waits for"],
)
def test_pods_share_a_trouble_where_nothing_but_a_number_differs(other: object) -> None:
    assert other == one()


@pytest.mark.parametrize(
    "other",
    [
        one(code="PROBE"),
        one(final=False),
        one("Pod web-2: container other ends with exit 3, 4 restarts"),
        one(f"ReplicaSet web-1: {WORDS}"),
    ],
    ids=["code", "final", "words", "no Pod"],
)
def test_what_differs_in_more_is_another_trouble(other: object) -> None:
    assert other != one()


def test_what_is_no_pod_shares_no_trouble() -> None:
    assert one(f"ReplicaSet web-1: {WORDS}") != one(f"ReplicaSet web-2: {WORDS}")
