"""What is read out of an answer's headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.http.response import Headers


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 (hypothesis wants it bare)
def test_a_date_is_read_as_it_is_written_everywhere(now: datetime) -> None:
    headers = Headers([("Date", format_datetime(now, usegmt=True))])

    assert headers.date == now.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Sun, 31 Feb 2027 10:00:00 GMT",
        "Sun, 06 Nov 1994 25:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
    ],
)
def test_no_date_is_read_where_none_is_written(text: str) -> None:
    assert Headers([("Date", text)]).date is None


def test_an_answer_without_a_date_has_none() -> None:
    assert Headers().date is None
