"""`-f FILE` of the commands that take TYPE/NAME: each workload that a manifest names in turn."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

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

    @wraps(command)
    def each(*args: Any, workload: tuple[str, ...], filename: tuple[str, ...], **more: Any) -> int:
        ctx = click.get_current_context()
        if not filename:
            return command(*args, workload=_given(ctx, workload), **more)
        if workload:
            raise click.UsageError("TYPE/NAME and -f contradict each other")
        demanded = _namespace(ctx)
        from backout.cli.manifests import of_files  # noqa: PLC0415 (not for --help)

        found = of_files(filename, demanded)
        for place, target in enumerate(found):
            namespace = target.namespace or demanded
            _let_say(ctx, target, namespace)
            values = {**more, "workload": (str(target),), "namespace": namespace or None}
            code = 1  # where it raises
            try:
                code = command(*args, **values)
            finally:
                if code:
                    _tell_left(found[place + 1 :])
            if code:
                return code
        return 0

    argument = click.argument(
        "workload", nargs=-1, metavar="TYPE/NAME", shell_complete=complete.workloads
    )
    option = click.option(
        "-f",
        "--filename",
        multiple=True,
        metavar="FILE",
        help="Manifest that names the workload, a folder of them, or - for stdin; may be repeated.",
    )
    return argument(option(each))


def _given(ctx: click.Context, words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        raise click.UsageError(targets.needed(), ctx)
    return words


def _namespace(ctx: click.Context) -> str:
    """Return the namespace that the command line demands; empty where it demands none."""
    before: dict[str, Any] = ctx.obj or {}
    return str(ctx.params.get("namespace") or before.get("namespace") or "")


def _let_say(ctx: click.Context, target: Target, namespace: str) -> None:
    """Let the command line say what the file says: the lines that go on are made from it."""
    ctx.params.update(workload=(str(target),), namespace=namespace or None)
    source = ParameterSource.COMMANDLINE if namespace else ParameterSource.DEFAULT
    ctx.set_parameter_source("namespace", source)


def _tell_left(left: tuple[Target, ...]) -> None:
    if left:
        click.echo(f"left out, because of that: {', '.join(map(str, left))}", err=True)
