"""Numbers and choices on the command line; what is wrong with one is told in plain words.

What a type says begins with `takes`: the option's name is put before it, and its origin after it.
"""

from __future__ import annotations

from typing import Any

import click

LONGEST = 80
"""Characters of a wrong value that are told again."""


class Number(click.IntRange):
    """A whole number of at least `min` and, if there is one, at most `max`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; a usage error where it is none or too small or large."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            range_ = f"from {self.min} to {self.max}" if self.max is not None else ""
            words = range_ or f"that is at least {self.min}"
            self.fail(f"takes a number {words}; got {str(value)[:LONGEST]!r}", param, ctx)

    def _describe_range(self) -> str:
        return f"{self.min} to {self.max}" if self.max is not None else ""


class OneOf(click.Choice[str]):
    """One of some words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word; a usage error that lists them where it is none of them."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            *others, last = self.choices
            words = f"{', '.join(others)} or {last}" if others else last
            self.fail(f"takes {words}; got {str(value)[:LONGEST]!r}", param, ctx)
