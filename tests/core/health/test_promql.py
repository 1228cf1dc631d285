from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.health.promql import LONGEST, parse


@pytest.mark.parametrize(
    ("text", "expression", "op", "threshold"),
    [
        ("up == 1", "up", "==", 1),
        ("errors<0.05", "errors", "<", 0.05),
        ("a / b <= 1e-3", "a / b", "<=", 0.001),
        ("a != -2.5", "a", "!=", -2.5),
        ("-a >= +.5", "-a", ">=", 0.5),
        ("sum by (app) (rate(x[5m])) > 3 ", "sum by (app) (rate(x[5m]))", ">", 3),
        ('x{path="a < 1"} < 2', 'x{path="a < 1"}', "<", 2),
        (r'x{path="a\" < 1"} < 2', r'x{path="a\" < 1"}', "<", 2),
        ("x{path='}< 1'} < 2", "x{path='}< 1'}", "<", 2),
        (r"x{path=`\`} < 2", r"x{path=`\`}", "<", 2),
        ('x{a=~"b",c!~"d",e!="f"} < 2', 'x{a=~"b",c!~"d",e!="f"}', "<", 2),
        ("count(x > 5) < 2", "count(x > 5)", "<", 2),
        ("a > 1 < 2", "a > 1", "<", 2),
        ("a > bool 1 == 1", "a > bool 1", "==", 1),
        ("(a or vector(0)) < 2", "(a or vector(0))", "<", 2),
        ("job:errors:ratio5m < 2", "job:errors:ratio5m", "<", 2),
        ("android < 2", "android", "<", 2),
        ("x[5m:1m] offset 1d\n< 2", "x[5m:1m] offset 1d", "<", 2),
    ],
)
def test_the_last_comparison_outside_of_brackets_and_strings_is_ours(
    text: str, expression: str, op: str, threshold: float
) -> None:
    metric = parse(text)

    assert (metric.expression, metric.op, metric.threshold) == (expression, op, threshold)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends in no comparison"),
        ("up", "ends in no comparison"),
        ("count(x > 5)", "ends in no comparison"),
        ("up = 1", "ends in no comparison"),
        ("< 1", "there is nothing before"),
        ("1 < up", "not followed by a plain number"),
        ("a < 1 + 2", "not followed by a plain number"),
        ("a < 5 and b", "not followed by a plain number"),
        ("a < NaN", "not followed by a plain number"),
        ("a < Inf", "not followed by a plain number"),
        ("a < 1e999", "not followed by a plain number"),
        ("a < 10%", "not followed by a plain number"),
        ("a < ", "not followed by a plain number"),
        ("a > bool 0.5", "leave `bool` out"),
        ("a > BOOL 0.5", "leave `bool` out"),
        ("a or b < 1", "binds tighter than `or`"),
        ("a AND b < 1", "binds tighter than `AND`"),
        ("a unless on (x) b < 1", "binds tighter than `unless`"),
        ("sum(a < 1", "`(` is not closed"),
        ("a) < 1", "`)` closes nothing"),
        ("sum(a] < 1", "`]` closes nothing"),
        ('x{a="b} < 1', "a string is not closed"),
        ("a # < 2\n < 1", "a comment"),
        ("a" * LONGEST + " < 1", "longer than"),
    ],
)
def test_what_could_mean_something_else_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("up < 1", True),
        ('up{app="a(b)"} < 1', True),
        ("job:up {} < 1", True),
        ("rate(up[1m]) < 1", False),
        ("up / up < 1", False),
        ("up offset 5m < 1", False),
        ("up{} + up{} < 1", False),
    ],
)
def test_only_one_name_with_its_labels_is_plain(text: str, *, is_plain: bool) -> None:
    assert parse(text).is_plain is is_plain


STRINGS = st.text(alphabet="ab<>=!()[]{}'` ", max_size=10).map(lambda s: f'"{s}"')
ATOMS = st.sampled_from(["up", "rate(x[5m])", "1", "(a < 2)", "x{a!=`<`}"]) | STRINGS.map(
    lambda s: f"x{{a={s}}}"
)
EXPRESSIONS = st.lists(ATOMS, min_size=1, max_size=4).flatmap(
    lambda atoms: st.sampled_from([" + ", "/", " > ", "==bool "]).map(lambda by: by.join(atoms))
)


@given(
    expression=EXPRESSIONS,
    op=st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]),
    number=st.floats(allow_nan=False, allow_infinity=False),
    blanks=st.sampled_from(["", " ", "\n"]),
)
def test_what_was_put_together_is_taken_apart_again(
    expression: str, op: str, number: float, blanks: str
) -> None:
    metric = parse(f"{blanks}{expression}{blanks}{op}{blanks}{number!r}{blanks}")

    assert (metric.expression, metric.op, metric.threshold) == (expression, op, number)


@given(st.text(alphabet="ab01.<>=! ()[]{}\"'`#\\\nor", max_size=40))
def test_any_text_is_split_without_loss_or_refused(text: str) -> None:
    try:
        metric = parse(text)
    except ValueError:
        return
    rest = text.strip()[len(metric.expression) :].strip()
    assert text.strip().startswith(metric.expression)
    assert rest.startswith(metric.op)
    assert float(rest[len(metric.op) :]) == metric.threshold
    assert math.isfinite(metric.threshold)
