"""`EXPR OP NUMBER` -> the expression to ask for, and the comparison that is made here.

Prometheus' own comparison filters: where nothing is true, nothing comes back, which is also what
comes back where nothing was measured. So the expression is asked without it.
"""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST = 4096
"""Characters of one metric."""
_SHOWN = 100

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_BOOL = re.compile(r"\s*bool\b", re.IGNORECASE)
# A raw string between backticks has no escapes.
_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)"""
    r"""|(?P<word>[A-Za-z_:][\w:.]*)|(?P<compare>==|!=|<=|>=|<|>)|(?P<other>.)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"""[A-Za-z_:][\w:]*\s*(\{(?:"(?:\\.|[^"\\])*"|[^{}()"'`])*\})?""")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_SETS = {"and", "or", "unless"}


class Metric(Struct, frozen=True, kw_only=True):
    """`text` as the user wrote it; every series of `expression` must be `op` `threshold`."""

    text: str
    expression: str
    op: str
    threshold: float

    @property
    def is_plain(self) -> bool:
        """Whether it is one name and its labels: Prometheus knows when that was measured."""
        return _PLAIN.fullmatch(self.expression) is not None

    @property
    def name(self) -> str:
        """What people call it."""
        short = self.text if len(self.text) <= _SHOWN else f"{self.text[: _SHOWN - 1]}…"
        return f"metric {' '.join(short.split())}"

    def holds(self, value: float) -> bool:
        """Tell whether a value is as it should be."""
        return _OPERATORS[self.op](value, self.threshold)


def parse(text: str) -> Metric:
    """Split at the last comparison that is in no bracket and no string; ValueError says why not."""
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    tokens = list(_top_level(text))
    comparisons = [t for t in tokens if t.lastgroup == "compare"]
    if not comparisons:
        raise ValueError("it ends in no comparison with a number, such as `< 0.05`")
    last = comparisons[-1]
    expression, rest = text[: last.start()].strip(), text[last.end() :]
    number = _NUMBER.fullmatch(rest)
    if _BOOL.match(rest):
        raise ValueError("leave `bool` out: the value itself is compared")
    if number is None or not math.isfinite(float(number[1])):
        raise ValueError(f"`{last[0]}` is not followed by a plain number")
    if not expression:
        raise ValueError(f"there is nothing before `{last[0]}`")
    sets = [t[0] for t in tokens if t.lastgroup == "word" and t[0].lower() in _SETS]
    if sets:
        raise ValueError(
            f"`{last[0]}` binds tighter than `{sets[0]}`: put all that is compared in parentheses"
        )
    return Metric(text=text.strip(), expression=expression, op=last[0], threshold=float(number[1]))


def _top_level(text: str) -> Iterator[re.Match[str]]:
    """Give the tokens outside of brackets and strings; ValueError where one is left open."""
    still_open: list[str] = []
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _PAIRS.values():
            still_open.append(sign)
        elif sign in _PAIRS:
            if not still_open or still_open.pop() != _PAIRS[sign]:
                raise ValueError(f"`{sign}` closes nothing")
        elif sign in {'"', "'", "`"}:
            raise ValueError("a string is not closed")
        elif sign == "#":
            raise ValueError("a comment cannot be part of it")
        elif not still_open:
            yield token
    if still_open:
        raise ValueError(f"`{still_open[-1]}` is not closed")
