"""Vectors: the grammar in k8s.io/apimachinery pkg/api/resource/quantity.go."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.kubernetes import quantity

EQUAL = [
    ("1", "1000m", "1e0", "1.0", "1.", "+1", "1E0", "0.001k", "1000000u", "1000000000n"),
    ("512Mi", "0.5Gi", "524288Ki", "536870912", ".5Gi", "536870912000m"),
    ("1e3", "1k", "1E3", "1000", "10e2"),
    ("1E", "1e18", "1000P"),
    ("0", "0m", "-0", "0Gi", "0e5"),
    ("-1500m", "-1.5"),
    ("100e-2", "1"),
]


@pytest.mark.parametrize("spellings", EQUAL, ids=lambda s: s[0])
def test_all_spellings_of_one_amount_are_one_value(spellings: tuple[str, ...]) -> None:
    assert len({quantity.value(s) for s in spellings}) == 1
    assert quantity.value(spellings[0]) is not None


@pytest.mark.parametrize(
    ("one", "other"), [("1k", "1Ki"), ("1m", "1M"), ("1E", "1e"), ("1G", "1Gi"), ("1", "1m")]
)
def test_suffixes_that_look_alike_are_different(one: str, other: str) -> None:
    assert quantity.value(one) != quantity.value(other)


@pytest.mark.parametrize(
    "text", ["", "one", "1 Gi", "1gi", "1K", "0x10", "1e", "--1", "1.2.3", "1kk", ".", "nan", "inf"]
)
def test_what_is_no_quantity_has_no_value(text: str) -> None:
    assert quantity.value(text) is None


def test_numbers_from_json_are_quantities_as_well() -> None:
    assert quantity.value(2) == Fraction(2)
    assert quantity.value(0.5) == quantity.value("500m")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["", "n", "m", "k", "Mi", "Ei"]))
def test_a_thousand_of_a_thousandth_is_the_amount_itself(number: int, suffix: str) -> None:
    whole, parts = quantity.value(f"{number}{suffix}"), quantity.value(f"{number * 1000}e-3")
    assert whole is not None
    assert parts == Fraction(number)
    assert quantity.value(f"{number}.000{suffix}") == whole


@given(st.text() | st.text("0123456789.eE+-mkKMGi", max_size=20))
def test_no_text_makes_it_fail(text: str) -> None:
    assert isinstance(quantity.value(text), Fraction | None)


def test_a_number_of_thousands_of_digits_does_not_make_it_fail() -> None:
    assert isinstance(quantity.value("1" * 5000), Fraction | None)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("100m", "100m"),
        ("1500m", "1500m"),
        ("2", "2"),
        ("0.5Gi", "512Mi"),
        ("1n", "1m"),
        ("0", "0"),
    ],
)
def test_an_amount_is_written_as_a_person_would(amount: str, text: str) -> None:
    exact = quantity.value(amount)
    assert exact is not None
    assert quantity.text(exact) == text


@pytest.mark.parametrize(
    ("amount", "resource", "text"),
    [
        ("1Ki", "pods", "1024"),
        ("2000", "requests.cpu", "2000"),
        ("1Ti", "requests.memory", "1Ti"),
        ("100M", "limits.memory", "100M"),
        ("1536Mi", "requests.ephemeral-storage", "1536Mi"),
        ("2Mi", "hugepages-2Mi", "2Mi"),
    ],
)
def test_only_bytes_have_a_suffix_of_bytes(amount: str, resource: str, text: str) -> None:
    exact = quantity.value(amount)
    assert exact is not None
    assert quantity.text(exact, resource) == text
