"""Ten Pods at most are asked for their health, and never only those that are not Ready."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backout.core.health import asking
from backout.core.kubernetes import objects
from tests.objects.pods import pod


def pods(ready: int, others: int = 0, pending: int = 0) -> list[dict[str, Any]]:
    made = [pod(f"r{n}") for n in range(ready)] + [
        pod(f"o{n}", ready=False) for n in range(others + pending)
    ]
    for one in made[: ready + others]:
        one["status"]["phase"] = "Running"
    for one in made[ready + others :]:
        one["status"]["phase"] = "Pending"
    return made


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))
def test_each_is_asked_once_and_of_many_some_of_either_kind(
    ready: int, others: int, pending: int
) -> None:
    found = asking.chosen(pods(ready, others, pending))
    kinds = {objects.is_ready(one) for one in found}

    assert len({objects.name(one) for one in found}) == len(found)
    assert len(found) == min(ready + others, asking.MOST)
    assert (True in kinds, False in kinds) == (ready > 0, others > 0)


def test_it_is_said_where_not_all_were_asked() -> None:
    assert asking.out_of(pods(3, pending=20), 3) == ""
    assert asking.out_of(pods(30, 7), 10) == "10 of 37"
