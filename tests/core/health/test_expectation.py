"""What an answer is worth: its status, its text, the fields of its JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.health.endpoints import Origin
from backout.core.health.expectation import (
    BODY_CAP,
    Expected,
    JsonField,
    json_field,
    judged,
    statuses,
)
from backout.core.health.judgement import Answer

SECRET = "s3cr3t-body"


@pytest.mark.parametrize(
    ("status", "named", "guessed"),
    [
        (200, Answer.WELL, Answer.WELL),
        (299, Answer.WELL, Answer.WELL),
        (300, Answer.UNKNOWN, Answer.WELL),
        (302, Answer.UNKNOWN, Answer.WELL),
        (399, Answer.UNKNOWN, Answer.WELL),
        (400, Answer.UNWELL, Answer.UNKNOWN),
        (401, Answer.UNWELL, Answer.UNKNOWN),
        (403, Answer.UNWELL, Answer.UNKNOWN),
        (404, Answer.UNWELL, Answer.UNKNOWN),
        (421, Answer.UNWELL, Answer.UNKNOWN),
        (499, Answer.UNWELL, Answer.UNKNOWN),
        (500, Answer.UNWELL, Answer.UNWELL),
        (503, Answer.UNWELL, Answer.UNWELL),
    ],
)
def test_what_a_status_says_of_the_application(status: int, named: Answer, guessed: Answer) -> None:
    for origin in Origin:
        made = judged("service web", status, origin=origin)
        assert made.answer is (named if origin is Origin.NAMED else guessed)
        assert str(status) in made.detail
        assert made.status == status


def test_what_backout_guessed_is_said_to_be_a_guess_and_what_nobody_probes_to_be_absent() -> None:
    by = {origin: judged("s", 404, origin=origin) for origin in Origin}
    marks = {o: (s.is_guess, s.is_misasked, s.is_absent) for o, s in by.items()}
    assert marks == {
        Origin.NAMED: (False, False, False),
        Origin.PROBE: (True, True, False),
        Origin.NOBODYS: (True, False, True),
    }
    assert "not asked as the kubelet asks" in by[Origin.PROBE].detail
    assert "on a guessed path" in by[Origin.NOBODYS].detail
    assert judged("s", 503, origin=Origin.PROBE).is_guess


def test_who_says_what_a_good_answer_is_may_be_told_no_on_a_guessed_path_too() -> None:
    ok = Expected(text="ok")
    assert judged("s", 200, b"no", ok, origin=Origin.PROBE).answer is Answer.UNWELL
    assert not judged("s", 200, b"no", ok, origin=Origin.PROBE).is_guess
    assert judged("s", 302, b"", ok, origin=Origin.PROBE).answer is Answer.UNKNOWN
    only = Expected(statuses=statuses("204"))
    assert judged("s", 200, expected=only, origin=Origin.PROBE).answer is Answer.UNWELL
    # What answers by another status than any that the kubelet takes was not asked as it asks.
    assert judged("s", 404, expected=only, origin=Origin.PROBE).is_misasked
    assert judged("s", 404, expected=Expected(statuses=statuses("404")), origin=Origin.PROBE) == (
        judged("s", 404, expected=Expected(statuses=statuses("404")))
    )


def test_a_compressed_body_is_not_looked_at_and_its_status_counts() -> None:
    assert judged("s", 200, b"\x1f\x8b", coding="gzip").answer is Answer.WELL
    unread = judged("s", 200, b"\x1f\x8b", Expected(text="ok"), coding="gzip")
    assert unread.answer is Answer.UNKNOWN
    assert "encoded (gzip)" in unread.detail


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("200", [200], [199, 201, 204]),
        ("2xx", [200, 299], [199, 300]),
        ("200-204", [200, 204], [199, 205]),
        ("200,401", [200, 401], [201, 400]),
        ("2xx, 404-410", [204, 404, 410], [403, 411]),
        ("302", [302], [200, 301]),
    ],
)
def test_statuses_are_named_one_by_one_by_family_or_from_to(
    text: str, good: list[int], bad: list[int]
) -> None:
    expected = Expected(statuses=statuses(text))
    assert all(judged("s", one, expected=expected).answer is Answer.WELL for one in good)
    assert not any(judged("s", one, expected=expected).answer is Answer.WELL for one in bad)


@pytest.mark.parametrize(
    "text", ["", "20", "2000", "6xx", "xx", "204-200", "200-", "-200", "ok", "200;", "٢xx", "2XX"]
)
def test_what_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"status|begins"):
        statuses(text)


def test_a_success_that_is_not_the_expected_one_says_so() -> None:
    made = judged("s", 204, expected=Expected(statuses=statuses("200")))
    assert (made.answer, made.detail) == (
        Answer.UNWELL,
        "HTTP 204, which is not the expected status",
    )


def test_a_redirect_stays_unknown_unless_it_is_expected() -> None:
    made = judged("s", 302, expected=Expected(statuses=statuses("200")))
    assert made.answer is Answer.UNKNOWN


def test_a_text_in_the_body_is_looked_for_and_the_body_never_told() -> None:
    expected = Expected(text="all good")
    assert judged("s", 200, b"it is all good", expected).answer is Answer.WELL
    lacking = judged("s", 200, SECRET.encode(), expected)

    assert lacking.answer is Answer.UNWELL
    assert lacking.detail == "HTTP 200, but the body lacks the expected text"
    assert SECRET not in str(lacking)


def test_a_body_that_was_not_read_to_its_end_proves_nothing_by_what_it_lacks() -> None:
    made = judged("s", 200, b"x" * BODY_CAP, Expected(text="late"))
    assert made.answer is Answer.UNKNOWN
    assert "64 KiB" in made.detail


def test_a_bad_status_is_bad_whatever_the_body_says() -> None:
    assert judged("s", 503, b"ok", Expected(text="ok")).answer is Answer.UNWELL


BODY = {
    "status": "ok",
    "version": 3,
    "ratio": 0.5,
    "ready": True,
    "error": None,
    "checks": [{"name": "db", "up": True}, {"name": "queue", "state": "idle"}],
    "nested": {"deep": {"er": "yes"}},
    "text": "1",
}


@pytest.mark.parametrize(
    "field",
    [
        "status=ok",
        "version=3",
        "version=3.0",
        "ratio=0.5",
        "ready=true",
        "error=null",
        "checks.0.up=true",
        "checks.1.state=idle",
        "nested.deep.er=yes",
        "text=1",
    ],
)
def test_a_field_of_the_json_is_as_expected(field: str) -> None:
    expected = Expected(fields=(json_field(field),))
    assert judged("s", 200, json.dumps(BODY).encode(), expected).answer is Answer.WELL


@pytest.mark.parametrize(
    "field",
    [
        "status=OK",
        "status=",
        "version=4",
        "version=three",
        "ready=1",
        "ready=True",
        "error=",
        "checks=2",
        "checks.2.up=true",
        "checks.-1.state=idle",
        "nested.deep=yes",
        "status.x=ok",
        "missing=ok",
        "text=01",
    ],
)
def test_a_field_that_is_missing_or_different_is_unwell(field: str) -> None:
    expected = Expected(fields=(json_field(field),))
    made = judged("s", 200, json.dumps(BODY).encode(), expected)
    assert made.answer is Answer.UNWELL
    assert field.partition("=")[0] in made.detail


def test_the_value_that_a_field_has_instead_is_not_told() -> None:
    body = json.dumps({"status": SECRET}).encode()
    made = judged("s", 200, body, Expected(fields=(json_field("status=ok"),)))
    assert made.detail == "HTTP 200, but its field status is not as expected"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"status": "ok"', b"\xff\xfe", b"[" * 50_000, b"1" * 5000],
    ids=["empty", "html", "cut", "bytes", "deep", "huge number"],
)
def test_what_is_no_json_is_unwell(body: bytes) -> None:
    made = judged("s", 200, body, Expected(fields=(json_field("status=ok"),)))
    assert made.answer is Answer.UNWELL


def test_json_that_was_not_read_to_its_end_proves_nothing() -> None:
    body = b'{"status": "ok", "padding": "' + b"x" * BODY_CAP
    made = judged("s", 200, body[:BODY_CAP], Expected(fields=(json_field("status=ok"),)))
    assert made.answer is Answer.UNKNOWN


def test_a_value_may_hold_an_equals_sign() -> None:
    assert json_field("query=a=b") == JsonField(path="query", value="a=b")


@pytest.mark.parametrize("text", ["", "status", "=ok", ".a=1", "a.=1", "a..b=1"])
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PATH=VALUE"):
        json_field(text)


@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=200),
    origin=st.sampled_from(list(Origin)),
)
def test_no_body_makes_a_bad_status_good_and_none_breaks_the_judgement(
    status: int, body: bytes, origin: Origin
) -> None:
    expected = Expected(text="ok", fields=(json_field("a.b=1"),))
    made = judged("s", status, body, expected, origin=origin)
    if made.answer is Answer.WELL:
        assert 200 <= status < 300
        assert b"ok" in body
