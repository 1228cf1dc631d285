"""`-f FILE` of the commands that take TYPE/NAME: each workload that a manifest names in turn."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import Struct

from backout.cli.options import complete
from backout.cli.options import target as targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.kinds.target import Target


def workload(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command its workload: TYPE/NAME, or those that the files of `-f` name.

    Of several the command is carried out one after the other, to the first that does not end well:
    the exit code is that one's.
    """
    return _taking(command, _Words(name="workload", metavar="TYPE/NAME", is_needed=True), _each)


def words(verb: str, metavar: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command its `words`, as `workload` does; they may be none, or `verb` before them."""
    given = _Words(name="words", metavar=metavar, verb=verb)
    return lambda command: _taking(command, given, _each)


def workloads(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command all its workloads at once: TYPE/NAME..., or those that the files name."""
    return _taking(command, _Words(name="workload", metavar="TYPE/NAME..."), _at_once)


class _Words(Struct, frozen=True, kw_only=True):
    """The argument of a command that a file can stand for; `verb` may stand before the file."""

    name: str
    metavar: str
    verb: str = ""
    is_needed: bool = False

    def given(self, ctx: click.Context, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return what was typed where no file is named; a usage error where it is needed."""
        if self.is_needed and not words:
            raise click.UsageError(targets.needed(), ctx)
        return words

    def before(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return what stands before the workloads of a file."""
        if words and words != (self.verb,):
            raise click.UsageError("TYPE/NAME and -f contradict each other: name one")
        return words


def _taking(
    command: Callable[..., int], given: _Words, carry_out: Callable[..., int]
) -> Callable[..., int]:
    @wraps(command)
    def taking(*args: Any, filename: tuple[str, ...], **more: Any) -> int:
        ctx = click.get_current_context()
        words = more.pop(given.name)
        if not filename:
            return command(*args, **{given.name: given.given(ctx, words)}, **more)
        before = given.before(words)
        demanded = _namespace(ctx)
        from backout.cli.manifests import of_files  # noqa: PLC0415 (not for --help)

        found = of_files(filename, demanded)

        def run(some: tuple[Target, ...]) -> int:
            namespace = some[0].namespace or demanded
            values = {
                given.name: (*before, *map(str, some)),
                "namespace": namespace or None,
            }
            _let_say(ctx, values)
            return command(*args, **{**more, **values})

        return carry_out(found, run)

    argument = click.argument(
        given.name, nargs=-1, metavar=given.metavar, shell_complete=complete.workloads
    )
    option = click.option(
        "-f",
        "--filename",
        multiple=True,
        metavar="FILE",
        help="Manifest that names the workload, a folder of them, or - for stdin; may be repeated.",
    )
    return argument(option(taking))


def _each(found: tuple[Target, ...], run: Callable[[tuple[Target, ...]], int]) -> int:
    for place, target in enumerate(found):
        code = 1  # where it raises
        try:
            code = run((target,))
        finally:
            if code:
                _tell_left(found[place + 1 :])
        if code:
            return code
    return 0


def _at_once(found: tuple[Target, ...], run: Callable[[tuple[Target, ...]], int]) -> int:
    there = sorted({one.namespace for one in found})
    if len(there) > 1:
        names = ", ".join(one or "none" for one in there)
        raise click.UsageError(f"the files name several namespaces ({names}): pass one at a time")
    return run(found)


def _namespace(ctx: click.Context) -> str:
    """Return the namespace that the command line demands; empty where it demands none."""
    before: dict[str, Any] = ctx.obj or {}
    return str(ctx.params.get("namespace") or before.get("namespace") or "")


def _let_say(ctx: click.Context, values: dict[str, Any]) -> None:
    """Let the command line say what the file says: the lines that go on are made from it."""
    ctx.params.update(values)
    is_named = values["namespace"] is not None
    source = ParameterSource.COMMANDLINE if is_named else ParameterSource.DEFAULT
    ctx.set_parameter_source("namespace", source)


def _tell_left(left: tuple[Target, ...]) -> None:
    if left:
        click.echo(f"left out, because of that: {', '.join(map(str, left))}", err=True)
