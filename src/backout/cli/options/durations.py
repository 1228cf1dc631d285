"""Durations on the command line: `90s`, `5m`, `1h30m`, or a plain number of seconds."""

from __future__ import annotations

import re

import click

_FORM = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?", re.ASCII)
_LONGEST = 7 * 24 * 3600


class Duration(click.ParamType[float]):
    """A time span; its value is seconds. Zero would mean for ever, and nothing may hang.

    `may_be_none` takes it where it means not at all.
    """

    name = "duration"

    def __init__(self, *, may_be_none: bool = False) -> None:
        self._may_be_none = may_be_none

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; a usage error where the text is no positive time span."""
        if isinstance(value, float | int):
            return float(value)
        match = _FORM.fullmatch(str(value))
        parts = match.groupdict() if match else {}
        seconds = sum(
            float(parts.get(unit) or 0) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1))
        )
        is_none = self._may_be_none and match is not None and bool(str(value)) and seconds == 0
        if not is_none and seconds == 0 and match is not None and str(value):
            self.fail(f"takes a time span of more than 0; got {value!r}", param, ctx)
        if not is_none and not 0 < seconds <= _LONGEST:
            self.fail(
                f"takes a time span such as 30s, 5m or 1h; got {str(value)[:80]!r}", param, ctx
            )
        return seconds


def typed(seconds: float) -> str:
    """Return a time span as one would type it."""
    return f"{seconds / 3600:g}h" if seconds % 3600 == 0 else f"{seconds:g}s"


DURATION = Duration()
DURATION_OR_NONE = Duration(may_be_none=True)
