"""Commands whose help is in groups, and whose usage errors speak the user's words."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.arguments import plain
from backout.cli.help.sections import OWN, SECTIONS
from backout.cli.help.usage import in_words
from backout.cli.program import PROGRAM, program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH = 100
"""Columns at most: longer lines are hard to read."""
_EXAMPLES = "\b\nExamples:"
_ALL = "backout.help.all"
_CALLED = re.compile(rf"\b{PROGRAM} (?=[a-z])")


class Helped(click.Command):
    """A command with `--help`, the everyday options in groups, and `--help-all`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; what kubectl takes and click does not is written for click first."""
        try:
            return super().parse_args(ctx, plain(args))
        except click.UsageError as error:
            raise in_words(error, ctx) from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, `--help-all` and `--help` as the last ones."""
        *params, last = super().get_params(ctx)
        return [*params, _HELP_ALL, last]

    def format_help_text(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, its examples, and then the rest."""
        write_text(self.help or "", formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        is_all = _ALL in ctx.meta
        write_options(self.get_params(ctx), ctx, formatter, is_all=is_all)


def write_text(text: str, formatter: click.HelpFormatter) -> None:
    """Write a docstring: the first paragraph, the examples under the name called, the rest."""
    first, *rest = cleandoc(text).split("\n\n")
    examples = [_CALLED.sub(f"{program()} ", p) for p in rest if p.startswith(_EXAMPLES)]
    for paragraph in (first, *examples, *(p for p in rest if not p.startswith(_EXAMPLES))):
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(paragraph)


def write_options(
    params: Iterable[click.Parameter],
    ctx: click.Context,
    formatter: click.HelpFormatter,
    *,
    is_all: bool,
) -> None:
    """Write options under their headings, the everyday ones or all of them."""
    options = {str(p.name): p for p in params if isinstance(p, click.Option)}
    grouped = {name for s in SECTIONS for name in (*s.everyday, *s.more)}
    own = [name for name in options if name not in grouped]
    helps = [name for name, option in options.items() if {"--help", "--help-all"} & {*option.opts}]
    sections = [
        (OWN, [name for name in own if name not in helps]),
        *((s.title, [*s.everyday, *(s.more if is_all else ())]) for s in SECTIONS),
        ("Help", helps),
    ]
    for title, names in sections:
        rows = list(_rows((options[name] for name in names if name in options), ctx))
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _rows(options: Iterable[click.Option], ctx: click.Context) -> Iterator[tuple[str, str]]:
    for option in options:
        row = option.get_help_record(ctx)
        if row is not None:
            flags, words = row
            variable = f"  [env: {option.envvar}]" if isinstance(option.envvar, str) else ""
            yield flags, words + variable


def _show_all(ctx: click.Context, _param: click.Parameter, value: bool) -> Any:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show every option, by group, and exit.",
)
