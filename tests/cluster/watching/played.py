"""Which situations a run of the tests plays, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tests.situations.situation import Situation


def plays(situations: Mapping[str, Situation], live: Collection[str]) -> list[Any]:
    """Return name and number of each play; `make test` has the first of those that are `live`.

    What depends on timing is played often, and must be right each time: a play that failed is not
    forgiven for one that was right.
    """
    return [
        pytest.param(name, time, marks=list(_marks(situation, is_short=name in live and not time)))
        for name, situation in situations.items()
        for time in range(situation.plays)
    ]


def _marks(situation: Situation, *, is_short: bool) -> Iterator[pytest.MarkDecorator]:
    if not is_short:
        yield pytest.mark.every_case
    if situation.plays > 1:
        yield pytest.mark.never_again
