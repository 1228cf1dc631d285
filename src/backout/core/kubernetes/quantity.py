"""Kubernetes quantities compared by value: `1000m` is `1`, `0.5Gi` is `512Mi`.

Source: k8s.io/apimachinery/pkg/api/resource/quantity.go (grammar in the type's comment).
"""

from __future__ import annotations

import re
from fractions import Fraction

LONGEST = 64

_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}
_BYTES = ("memory", "storage", "hugepages")
_FORM = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:[eE](?P<exponent>[+-]?\d{1,3})|(?P<suffix>[numkMGTPE]|[KMGTPE]i)?)"
)


def value(quantity: str | float) -> Fraction | None:
    """Return the exact number a quantity stands for, or None where it is not a quantity."""
    text = str(quantity).strip()
    match = _FORM.fullmatch(text)
    if match is None or len(text) > LONGEST:
        return None
    number = Fraction(match["number"])
    if match["exponent"]:
        return number * Fraction(10) ** int(match["exponent"])
    return number * _SUFFIXES[match["suffix"] or ""]


def text(amount: Fraction, resource: str = "") -> str:
    """Return an amount as a person writes it: `100m`, `2`, `512Mi`; thousandths are rounded up.

    Only bytes have suffixes: what counts cores or objects is written out. Without a resource
    anything may be bytes.
    """
    if amount.denominator != 1:
        return f"{-(-amount.numerator * 1000 // amount.denominator)}m"
    whole = int(amount)
    is_bytes = not resource or any(word in resource for word in _BYTES)
    for suffix in ("Ti", "Gi", "Mi", "Ki", "G", "M") if is_bytes else ():
        unit = int(_SUFFIXES[suffix])
        if whole and whole % unit == 0:
            return f"{whole // unit}{suffix}"
    return str(whole)
