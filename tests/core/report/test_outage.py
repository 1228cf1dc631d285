"""How long a service was down, from what was answered, else from its Pods."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.events.lines import Line, read
from backout.core.report import timeline
from backout.core.report.outage import Outage, outage


def line(second: float, event: str, **fields: Any) -> Line:
    return read({"time": f"2026-01-01T00:00:{second:06.3f}+00:00", "event": event, **fields})


def answer(second: float, answer: str, subject: str = "a", event: str = "health") -> Line:
    return line(second, event, subject=subject, answer=answer)


def pods(second: float, ready: int, old_ready: int, wanted: int = 2) -> Line:
    return line(second, "replicas", wanted=wanted, ready=ready, old_ready=old_ready)


BEFORE = answer(1, "unwell", event="baseline")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], None),
        ([answer(3, "unknown")], None),
        ([answer(3, "well")], Outage(down=0, is_asked=True, is_over=True)),
        ([BEFORE, answer(7, "well")], Outage(down=6, is_asked=True, is_over=True)),
        (
            [BEFORE, answer(4, "well"), answer(5, "unwell"), answer(5.5, "unknown")],
            Outage(down=3 + 4, is_asked=True, is_over=False),
        ),
        (
            [BEFORE, answer(3, "well", "b"), answer(5, "well"), answer(6, "well", event="sample")],
            Outage(down=4, is_asked=True, is_over=True),
        ),
        ([pods(2, 0, 0), pods(6, 1, 0)], Outage(down=4, is_asked=False, is_over=True)),
        ([pods(2, 0, 1), pods(6, 0, 0)], Outage(down=3, is_asked=False, is_over=False)),
        ([pods(2, 0, 0, wanted=0)], None),
        ([pods(2, 0, 0), answer(3, "well")], Outage(down=1, is_asked=True, is_over=True)),
        ([pods(2, 0, 1), answer(3, "well")], Outage(down=0, is_asked=True, is_over=True)),
        (
            [answer(2, "well"), pods(3, 0, 0), answer(4, "well")],
            Outage(down=0, is_asked=True, is_over=True),
        ),
    ],
)
def test_it_is_down_from_a_bad_answer_to_the_next_good_one(
    lines: list[Line], expected: Outage | None
) -> None:
    whole = [line(0, "triggered"), *lines, line(9, "outcome")]

    assert outage(timeline.incident(whole)) == expected
