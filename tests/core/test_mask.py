"""What leaves the program: without the secrets that it knows, at any depth and in any quoting."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.events.planning import WorkloadChecked, WorkloadFinding
from backout.core.mask import SHORTEST, Mask
from backout.core.text import masked

SECRET = 'plain words, "quoted" & more'


@pytest.mark.parametrize(
    "told",
    [
        SECRET,
        json.dumps({"a": SECRET}),
        "https://h/x?t=plain%20words%2C%20%22quoted%22%20%26%20more",
    ],
)
def test_a_secret_that_is_known_is_left_out_however_it_is_quoted(told: str) -> None:
    seen = Mask(SECRET).text(f"before {told} after")

    assert "plain words" not in seen
    assert "plain%20words" not in seen
    assert seen.startswith("before ")
    assert seen.endswith(" after")


def test_a_password_is_left_out_of_the_header_that_it_is_sent_in() -> None:
    mask = Mask()
    mask.learn_logins([("ann", "correct horse")])
    sent = base64.b64encode(b"ann:correct horse").decode()

    assert mask.text(f"X-Sent: {sent}") == "X-Sent: ***"


def test_of_two_secrets_the_one_that_holds_the_other_is_left_out_whole() -> None:
    assert Mask("staple", "staple battery").text("a staple battery b") == "a *** b"


def test_what_is_too_short_for_a_secret_is_told() -> None:
    assert Mask("", "admin").text("admin of admins") == "admin of admins"


@given(secret=st.text(min_size=SHORTEST), around=st.text())
def test_no_secret_is_found_in_what_is_told(secret: str, around: str) -> None:
    told = Mask(secret).of({"a": [f"{around}{secret}", (secret,)], secret: 1})

    assert secret.strip("*") == "" or secret not in repr(told) or secret in "{}[]()'a: 1,***"


def test_a_value_is_masked_at_any_depth_and_stays_what_it_is() -> None:
    row = WorkloadChecked(
        message="a secret-word",
        workload={"name": "secret-word"},
        answer="possible",
        now=3,
        back_to=None,
        proven=True,
        why="",
        worst=None,
        ids=("PF1",),
        findings=(
            WorkloadFinding(
                id="PF1",
                severity="WARN",
                message="secret-word",
                detail="",
                remedy="",
                refuses=False,
            ),
        ),
        skipped=(),
        error="",
        remedy="",
    )
    seen = Mask("secret-word").of(row)

    assert "secret-word" not in repr(seen)
    assert (seen.now, seen.proven, seen.findings[0].message) == (3, True, "***")


@pytest.mark.parametrize(
    "line",
    [
        r'{"log":"{\"password\":\"hunter2\"}"}',
        r'{"a":"{\"b\":\"{\\\"token\\\": \\\"hunter2\\\"}\"}"}',
        r'"headers\":{\"Authorization\":\"Basic hunter2\"}',
        "Exec lifecycle hook ([/bin/sh -c curl -H 'Authorization: Bearer hunter2' x])",
        "postgres://app:hunter2@db/shop",
    ],
)
def test_json_in_json_a_hook_and_a_url_are_masked(line: str) -> None:
    assert "hunter2" not in masked(line)
