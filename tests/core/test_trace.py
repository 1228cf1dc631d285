"""The trace id: the user's word, else TRACEPARENT, else a new one."""

from __future__ import annotations

import pytest

from backout.core.trace import trace_id, traceparent

FRESH = "f" * 32
W3C = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_users_own_outranks_everything() -> None:
    assert trace_id("INC-7", f"00-{W3C}-00f067aa0ba902b7-01", fresh=FRESH) == "INC-7"


def test_traceparent_outranks_a_new_one() -> None:
    assert trace_id(None, f"00-{W3C}-00f067aa0ba902b7-01", fresh=FRESH) == W3C


@pytest.mark.parametrize(
    "traceparent",
    [None, "", "nonsense", f"00-{W3C}", f"00-{'0' * 32}-00f067aa0ba902b7-01", "00-XYZ-1-01"],
)
def test_a_traceparent_that_is_none_is_passed_over(traceparent: str | None) -> None:
    assert trace_id(None, traceparent, fresh=FRESH) == FRESH


@pytest.mark.parametrize("asked", ["", "a b", "x" * 129, "a\nb", "é"])
def test_what_a_log_could_not_carry_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="--trace-id takes"):
        trace_id(asked, None, fresh=FRESH)


def test_a_trace_is_handed_on_where_its_id_is_the_w3cs() -> None:
    assert traceparent(W3C, span_id="00f067aa0ba902b7") == f"00-{W3C}-00f067aa0ba902b7-01"
    assert traceparent("INC-7", span_id="00f067aa0ba902b7") == ""
