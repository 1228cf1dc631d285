"""Amounts of Pods in a strategy: a number, or a share of all."""

from __future__ import annotations

from fractions import Fraction


def of_pods(amount: int | str, of: int, *, up: bool) -> int:
    """Return so many Pods; a share (`25%`) is rounded up or down to whole ones.

    Source: GetScaledValueFromIntOrPercent, apimachinery pkg/util/intstr.
    """
    text = str(amount)
    if not text.endswith("%"):
        return int(text)
    exact = Fraction(int(text[:-1]) * of, 100)
    return -(-exact.numerator // exact.denominator) if up else int(exact)
