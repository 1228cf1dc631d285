from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.text import masked, untrusted

SHA256 = "sha256:bc8813ea7b3603864987522f02a76101c17ad122e1c46d790efc0fca78ca7bfb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\x00\x7f\x9b31m", "\\x00\\x7f\\x9b31m"),
        ("nimda\u202egnp", "nimda\\u202egnp"),
        ("a\u2066b\u2069c", "a\\u2066b\\u2069c"),
        ("web\u200b\ufeff\u00ad", "web\\u200b\\ufeff\\xad"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        ("lone \ud800", "lone \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("filler \u3164\u115f", "filler \\u3164\\u115f"),
        ("selector \ufe0f", "selector \\ufe0f"),
        ("private \ue000", "private \\ue000"),
        ("::error file=x::y", "\\x3a:error file=x::y"),
        ("  ::stop-commands::z", "  \\x3a:stop-commands::z"),
        ("a ##vso[task.complete]", "a #\\x23vso[task.complete]"),
        ("a ##[error]b", "a #\\x23[error]b"),
        ("##teamcity[x]", "#\\x23teamcity[x]"),
    ],
)
def test_what_acts_or_hides_becomes_visible(text: str, shown: str) -> None:
    assert untrusted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "::1",
        "## a heading",
        "a::b::c",
        "naïve — „日本語“ ✓ 🚀",
        "C:\\temp",
        "[red]x[/red]",
    ],
)
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert untrusted(text) == text


def test_long_text_is_cut_and_says_so() -> None:
    assert untrusted("x" * 300) == "x" * 255 + "…"
    assert untrusted("x" * 256) == "x" * 256
    assert untrusted("abcdef", cap=4) == "abc…"


def test_no_escape_is_cut_in_half() -> None:
    assert untrusted("ab\x1bcdef", cap=5) == "ab…"
    assert untrusted("ab\x1bc", cap=7) == "ab\\x1bc"


@given(st.text(alphabet=st.characters(), max_size=400), st.integers(1, 300))
def test_the_result_is_one_short_line_that_encodes(text: str, cap: int) -> None:
    shown = untrusted(text, cap)

    assert len(shown) <= cap
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_second_time_changes_nothing(text: str) -> None:
    once = untrusted(text, 10_000)

    assert untrusted(once, 10_000) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ('{"authorization": "Basic Zm9v", "a": 1}', '{"authorization": ***, "a": 1}'),
        ("Set-Cookie: sid=1; HttpOnly", "Set-Cookie: ***"),
        ("sent Bearer YWJjOmRlZg now", "sent Bearer *** now"),
        ("GET /x?token=abc&y=1", "GET /x?token=***&y=1"),
        ("password: hunter2", "password: ***"),
        ("password:hunter2", "password:***"),
        ('{"token":"x"}', '{"token":***}'),
        ("API_KEY = 'a b'", "API_KEY = ***"),
        ('{"client_secret":"a b","x":1}', '{"client_secret":***,"x":1}'),
        ("https://user:p@ss@host/path", "https://***@host/path"),
        ("proxy http://user@host:1", "proxy http://***@host:1"),
        ("jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt ***"),
        ("key ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", "key ***"),
        ("x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y", "x *** y"),
        ("x -----BEGIN PRIVATE KEY-----\nMII", "x ***"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"docker.io/library/nginx:1.27@{SHA256}",
        "GET /apis/apps/v1/namespaces/default/deployments/web-6d4cf56db6-abcde failed",
        'secret "db-credentials" not found',
        "couldn't find key password in Secret default/db",
        "Basic authentication required",
        "ghcr.io/acme/external-secret:1.2 and token:5000",
        'Bearer realm="https://auth.example/token",service="registry"',
        "uid 2f0b8bd0-5a1c-4f9e-9d70-0c9d5a4b7d11, trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "--registry-auth-file /home/me/.docker/config.json",
        "https://host/a@b",
    ],
)
def test_what_helps_the_reader_is_not_masked(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "unit", ["a", "://", "Basic ", "eyJ", "token ", "eyJ12345678.", "-----BEGIN PRIVATE KEY", '"']
)
def test_masking_a_megabyte_takes_no_time(unit: str) -> None:
    started = time.monotonic()

    masked(unit * (1_000_000 // len(unit)))

    assert time.monotonic() - started < 5
