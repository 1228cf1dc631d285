from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.registry.challenge import Challenge, parse, usable

BEARER = 'Bearer realm="https://auth.example/token",service="reg.example",scope="repository:a:pull"'


def test_a_bearer_challenge_has_realm_service_and_scope() -> None:
    assert parse(BEARER) == (
        Challenge(
            scheme="bearer",
            parameters={
                "realm": "https://auth.example/token",
                "service": "reg.example",
                "scope": "repository:a:pull",
            },
        ),
    )


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        (" , ,", []),
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("BASIC", [("basic", {})]),
        ('Basic realm="a, b=\\"c\\""', [("basic", {"realm": 'a, b="c"'})]),
        ('Basic realm = "x" , charset=UTF-8', [("basic", {"realm": "x", "charset": "UTF-8"})]),
        ('Basic realm="first", realm="second"', [("basic", {"realm": "first"})]),
        ("Negotiate", [("negotiate", {})]),
        (
            'Negotiate YIIabc/+==, Basic realm="x"',
            [("negotiate", {}), ("basic", {"realm": "x"})],
        ),
        (
            'Basic realm="x", Bearer realm="https://a/t",service="s"',
            [("basic", {"realm": "x"}), ("bearer", {"realm": "https://a/t", "service": "s"})],
        ),
        (
            "Bearer realm=https://a/t,service=s",
            [("bearer", {"realm": "https://a/t", "service": "s"})],
        ),
        (
            'Basic realm="x", Bearer realm="unterminated',
            [("basic", {"realm": "x"}), ("bearer", {})],
        ),
        ('realm="x"', []),
    ],
)
def test_a_header_is_read_as_rfc_9110_writes_it(
    header: str, found: list[tuple[str, dict[str, str]]]
) -> None:
    assert [(c.scheme, dict(c.parameters)) for c in parse(header)] == found


def test_bearer_is_met_before_basic() -> None:
    chosen = usable(parse(f'Basic realm="x", {BEARER}'))

    assert chosen is not None
    assert chosen.scheme == "bearer"


@pytest.mark.parametrize("header", ["", "Negotiate", 'Bearer service="no realm"'])
def test_nothing_is_met_where_nothing_is_understood(header: str) -> None:
    assert usable(parse(header)) is None


@given(st.text(max_size=200) | st.text(alphabet='Ba=", \\', max_size=60))
def test_any_header_can_be_parsed(header: str) -> None:
    assert all(challenge.scheme for challenge in parse(header))


def test_a_long_header_takes_no_time() -> None:
    assert len(parse("a=" * 100_000 + '"' * 100_000 + "Basic " * 100_000)) < 10_000
